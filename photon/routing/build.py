"""From a template and values back to a path: the inverse of matching.

A path that is built here matches its template and gives the same texts back. What would not is
refused: a link that leads elsewhere is found by whoever clicks on it, an error by its author.
"""

from collections.abc import Mapping
from typing import Any

from photon.routing.errors import BuildError
from photon.routing.mixed import Mixed
from photon.routing.percent import encode_segment
from photon.routing.template import Placeholder, Segment, Template


def build_path(template: Template, values: Mapping[str, Any]) -> str:
    """The percent-encoded path of a template with `values` put in, by name.

    Raises: BuildError: a value is missing, is not in the template, or does not fit.
    Source: RFC 3986 §3.3.
    """
    for name in values:
        if name not in template.names:
            known = ", ".join(template.names) or "none"
            raise BuildError(name, f"{template} has no value {name!r}; it has {known}")
    texts = [_segment_text(template, segment, values) for segment in template.segments]
    return "/" + "/".join(texts)


def _segment_text(template: Template, segment: Segment, values: Mapping[str, Any]) -> str:
    texts = [
        part if isinstance(part, str) else _value_text(template, part, values)
        for part in segment.parts
    ]
    text = "".join(texts)
    if len(texts) > 1:
        _check_reads_back(template, segment, texts)
    subsegments = text.split("/") if segment.spans else [text]
    if segment.placeholders and not {".", ".."}.isdisjoint(subsegments):
        # RFC 3986 §5.2.4: a client removes dot segments; WHATWG's URL does so even for %2E.
        name = segment.placeholders[0].name
        raise BuildError(name, f"{template}: clients would remove the dot segment in {text!r}")
    return "/".join(map(encode_segment, subsegments))


def _check_reads_back(template: Template, segment: Segment, texts: list[str]) -> None:
    # The texts of a mixed segment may run into one another: {a}-{b} with a="x", b="y-z".
    pairs = zip(segment.parts, texts, strict=True)
    meant = [part.converter.read(text) for part, text in pairs if isinstance(part, Placeholder)]
    if Mixed(segment).match("".join(texts)) != tuple(meant):
        names = [placeholder.name for placeholder in segment.placeholders]
        message = f"{template}: {''.join(texts)!r} would not give back {' and '.join(names)}"
        raise BuildError(names[0], message)


def _value_text(template: Template, placeholder: Placeholder, values: Mapping[str, Any]) -> str:
    name, converter = placeholder.name, placeholder.converter
    value = values.get(name)
    if value is None:
        raise BuildError(name, f"{template} needs a value for {name!r}")
    try:
        text = converter.format(value)
        fits = "\0" not in text and converter.read(text) is not None
        text.encode()
    except (TypeError, ValueError, ArithmeticError):
        fits = False
    if not fits:
        raise BuildError(name, f"{template}: {value!r} does not fit {name!r} ({converter.name})")
    return text
