"""A mailroom: letters are taken in at once, and delivered by jobs, here or on other machines.

photon run examples.mailroom:app                          the jobs run in the same process

export PHOTON_QUEUE=redis://localhost                     they wait in Redis, kept by dramatiq
photon run examples.mailroom:app
photon worker examples.mailroom:app                       any number of these runs them

curl -i http://127.0.0.1:8000/letters \
    --json '{"sender": "ada@example.com", "to": "grace@example.com", "subject": "Engines"}'

Letters go to the mail server at MAILROOM_SMTP, such as localhost:1025. One that only shows them:
pip install aiosmtpd; python -m aiosmtpd -n -l localhost:1025
"""

import os
from email.message import EmailMessage
from email.utils import make_msgid
from smtplib import SMTP, SMTPRecipientsRefused, SMTPResponseException
from typing import Annotated

from msgspec import Meta, Struct, field

from photon import Job, Photon, QueueFull, QueueUnavailable, Request

SMTP_HOST, _, SMTP_PORT = os.environ.get("MAILROOM_SMTP", "localhost:1025").partition(":")
POSTMASTER = "postmaster@example.com"

# One line, as what it becomes is a header of a mail; a line break would begin another one.
Line = Annotated[str, Meta(max_length=200, pattern=r"^[^\r\n\x00]*$")]
Address = Annotated[str, Meta(max_length=200, pattern=r"^[\w.+-]+@[\w-]+(\.[\w-]+)*$")]


class Letter(Struct):
    sender: Address
    to: Address
    subject: Line
    text: str = ""
    # Made when the letter is taken in, and not by the job: a worker may die when the mail server
    # has said yes and before the queue knows it. Then the job is run again, and mail programs see
    # by the id that both are the same letter. What jobs do should not mind to be done twice.
    id: str = field(default_factory=lambda: make_msgid(domain="mailroom.example.com"))


# No queue= here: PHOTON_QUEUE says which, and without it jobs run in this process.
app = Photon(title="Mailroom")


class Undeliverable(Exception):
    """The mail server will never take it."""


def send_back(job: Job, error: BaseException) -> None:
    """No attempt is left. This runs where the job ran, and may send jobs itself."""
    letter: Letter = job.args[0]
    if letter.sender != POSTMASTER:  # else two broken addresses would write to each other for ever
        text = f"{letter.to} did not get your letter: {error}"
        deliver.send(Letter(POSTMASTER, letter.sender, f"Returned: {letter.subject}", text))


@app.task(
    timeout="30s",  # of each attempt; then it is stopped where it waits, maybe in a socket
    retries=3,
    backoff="1s",  # doubled each time, and then some chance: not all come back at once
    retry_on=OSError,  # what smtplib raises is one, too; another exception is given up at once
    on_failure=send_back,
)
def deliver(letter: Letter) -> None:
    """Blocking code, which lets all others run while it waits. Called, it runs at once."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = letter.sender, letter.to, letter.subject
    mail["Message-ID"] = letter.id
    mail.set_content(letter.text)
    with SMTP(SMTP_HOST, int(SMTP_PORT)) as server:
        try:
            server.send_message(mail)
        except SMTPRecipientsRefused as error:
            code, said = error.recipients[letter.to]
            raise refusal(code, said) from error
        except SMTPResponseException as error:
            raise refusal(error.smtp_code, error.smtp_error) from error


def refusal(code: int, said: bytes | str) -> Exception:
    """RFC 5321 §4.2.1: 4xx may be tried again, 5xx may not."""
    text = f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return Undeliverable(text) if code >= 500 else OSError(text)


class Taken(Struct):
    job: str


@app.post("/letters", status=202)
def post_letter(letter: Letter, minutes: Annotated[float, Meta(ge=0, le=1440)] = 0) -> Taken:
    """The letter goes as JSON, by the task's annotation, and arrives as a Letter again.

    202: it was taken in, and no more than that. Query: minutes: how long it shall wait.
    """
    return Taken(deliver.send_after(minutes * 60, letter))


@app.exception_handler(QueueUnavailable)
@app.exception_handler(QueueFull)
def later(request: Request, error: Exception) -> tuple[str, int, dict[str, str]]:
    return "come back in a minute\n", 503, {"retry-after": "60"}
