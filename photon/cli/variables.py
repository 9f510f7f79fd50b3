"""Variables of the environment that begin with PHOTON_: which of them nobody reads."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import click

from photon.cli.dotenv import MARK

# Those that no flag stands for; tests look through the sources for others.
OWN = frozenset(
    {
        MARK,
        "PHOTON_DEV",
        "PHOTON_DEV_HOSTS",
        "PHOTON_QUEUE",
        "PHOTON_RUNTIME_DIR",
        # What a supervisor tells the one that takes its place.
        "PHOTON_TAKE_OVER",
        "PHOTON_TRIAL",
    }
)

# Kubernetes tells each container of a service named "photon" so: PHOTON_SERVICE_HOST,
# PHOTON_PORT_80_TCP_ADDR. (And PHOTON_PORT, which is ours: see `is_service_link`.)
_SERVICE_LINK = re.compile(r"PHOTON_(.*_)?(SERVICE_(HOST|PORT.*)|PORT_\d+_(TCP|UDP|SCTP).*)")


def variables_of(parameters: Iterable[click.Parameter]) -> Iterator[str]:
    """The names of variables that these are set by."""
    for parameter in parameters:
        names = parameter.envvar or ()
        yield from (names,) if isinstance(names, str) else names


def unknown_variables(
    own: Iterable[str], others: Callable[[], Iterable[str]], environ: Mapping[str, str] = os.environ
) -> list[str]:
    """Sentences about variables that nobody reads, with the nearest name.

    Args: own: variables of the command; others: those of all, asked for when need be.
    """
    known = OWN | set(own)
    strangers = [name for name in environ if _is_strange(name) and name not in known]
    if not strangers:
        return []
    known |= set(others())
    return [_sentence(name, known) for name in sorted(strangers) if name not in known]


def is_service_link(value: str) -> bool:
    """Whether PHOTON_PORT was set by Kubernetes for a service named "photon"."""
    return value.startswith(("tcp://", "udp://", "sctp://"))


def _is_strange(name: str) -> bool:
    return name.startswith("PHOTON_") and _SERVICE_LINK.fullmatch(name) is None


def _sentence(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"the variable {name} is of no setting{hint}"
