"""Mails from templates."""

from __future__ import annotations

import pytest

from photon.templating.engine import Templates
from photon.templating.errors import MailFailed, RenderFailed, TemplateNotFound


def templates(text: str, **more: str) -> Templates:
    found = {"hi.txt": text} | {name.replace("_", "."): source for name, source in more.items()}
    return Templates(found)


def test_a_mail_has_a_head_and_a_text() -> None:
    mail = templates("Subject: Hi {{ name }}\nReply-To: a@b.c\n\nGood <day>,\n{{ name }}\n").mail(
        "hi", name="<Ann & Bo>"
    )
    assert mail.subject == "Hi <Ann & Bo>"
    assert mail.text == "Good <day>,\n<Ann & Bo>"
    assert mail.html is None
    assert mail.headers == {"Reply-To": "a@b.c"}


def test_the_page_beside_it_is_its_html() -> None:
    mail = templates("Subject: a\n\nb", hi_html="<p>{{ x }}").mail("hi", x="<")
    assert mail.html == "<p>&lt;"


def test_marked_templates_are_found_too() -> None:
    found = {"mail/hi.txt.j2": "Subject: a\n\n<", "mail/hi.html.jinja": "{{ '<' }}"}
    for name in ("mail/hi", "mail/hi.txt", "mail/hi.txt.j2"):
        mail = Templates(found).mail(name)
        assert (mail.text, mail.html) == ("<", "&lt;")


@pytest.mark.parametrize(
    "text",
    [
        "subject: a\r\nX-B: c\r\n\r\nbody\r\n",
        "SUBJECT:a\nX-B:   c  \n \nbody",
        "X-B: c\nSubject: {%- if true %}a{% endif -%}  \n\n{%- if true %}body{% endif %}",
    ],
)
def test_heads_may_be_written_in_other_ways(text: str) -> None:
    mail = templates(text).mail("hi")
    assert (mail.subject, mail.text.strip(), mail.headers) == ("a", "body", {"X-B": "c"})


@pytest.mark.parametrize("keep", [False, True])
def test_empty_lines_of_the_text_are_kept(keep: bool) -> None:
    found = Templates({"hi.txt": "Subject: a\n\n\n\nb\n"}, keep_trailing_newline=keep)
    assert found.mail("hi").text == "\n\nb" + "\n" * keep


def test_a_mail_may_have_no_text() -> None:
    assert templates("Subject: a").mail("hi").text == ""
    assert templates("Subject: a\n\n").mail("hi").text == ""


@pytest.mark.parametrize(
    "value", ["a\nBcc: x@y.z", "a\r\n\r\nbody", "a\rb", "a\0", "a\x85b", "a\u2028b", "a\x0bb"]
)
def test_a_value_cannot_split_the_head(value: str) -> None:
    for text in ("Subject: {{ v }}\n\nx", "Subject: a\nX-B: {{ v }}\n\nx"):
        with pytest.raises(MailFailed, match=r"hi.txt:\d: the field .* would be split"):
            templates(text).mail("hi", v=value)


def test_a_value_in_the_text_may_have_lines() -> None:
    mail = templates("Subject: a\n\n{{ v }}").mail("hi", v="b\nBcc: c\n\nd")
    assert mail.text == "b\nBcc: c\n\nd"
    assert mail.headers == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Hello,\n\nbody", "hi.txt:1: a mail begins with its head.*'Hello,'"),
        ("", "no 'Subject"),
        ("\n\nbody", "hi.txt:1: a mail begins with its head"),
        ("From: a\n\nbody", "no 'Subject"),
        ("Subject: a\nnot a field\n\nb", "hi.txt:2: a mail begins"),
        ("Subject: a\nsubject: b\n\nc", "hi.txt:2: the field 'subject' is there twice"),
        ("Subject: {{ '' }}\n\nc", "the subject is empty"),
    ],
)
def test_a_mail_without_a_head_is_refused(text: str, says: str) -> None:
    with pytest.raises(MailFailed, match=says):
        templates(text).mail("hi")


def test_a_mail_that_is_not_there_says_so() -> None:
    with pytest.raises(TemplateNotFound, match=r"no template 'ih.txt'; did you mean 'hi.txt'"):
        templates("Subject: a").mail("ih")


def test_failures_name_the_line_of_the_file() -> None:
    with pytest.raises(RenderFailed, match=r"(?s)hi\.txt:5: .*'nope'.*> 5 \| {{ nope }}") as caught:
        templates("Subject: a\nX-A: b\n\nc\n{{ nope }}").mail("hi")
    assert (caught.value.name, caught.value.line) == ("hi.txt", 5)
    with pytest.raises(RenderFailed, match=r"(?s)hi\.txt:2: .*'nope'"):
        templates("Subject: a\nX-A: {{ nope }}\n\nc").mail("hi")


def test_a_mail_follows_its_changed_file() -> None:
    found = {"hi.txt": "Subject: a\n\nb"}
    reloading = Templates(found, reload=True)
    assert reloading.mail("hi").subject == "a"
    found["hi.txt"] = "Subject: c\n\nd"
    assert (reloading.mail("hi").subject, reloading.mail("hi").text) == ("c", "d")
