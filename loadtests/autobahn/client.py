"""Runs cases of the converted suite, in the suite's own environment; `__main__` starts it.

    python client.py SUITE URL SECONDS SHARE CASE...

A case may be a pattern, such as 1.*; a SHARE of 0/3 is the first of three equal parts of them.
Prints the number of its cases first, as {"cases": n}, and a line of JSON for each one that has
ended: id, title, behavior, close, result, ms (how long it took), and wire (what went over the
line, as far as the case kept it).

The cases think in strings of Python 2, in which a character is a byte. So do they here, as
Latin-1; this file is the border at which these strings become bytes and bytes become strings.
"""

# mypy: disable-error-code="import-not-found, no-any-return"

import binascii
import contextlib
import json
import sys
import types
from collections.abc import Iterator
from typing import Any

import autobahn.websocket.utf8validator as validating
from twisted.internet import reactor


def octets(text: Any) -> Any:
    return text.encode("latin-1") if isinstance(text, str) else text


def characters(data: Any) -> Any:
    return data.decode("latin-1") if isinstance(data, bytes | bytearray) else data


class Utf8Validator(validating.Utf8Validator):  # type: ignore[misc]
    """The cases make some of their own expectations with it."""

    def validate(self, data: Any) -> Any:
        return super().validate(octets(data))


def hexadecimal(data: Any) -> str:
    return binascii.b2a_hex(octets(data)).decode()


@contextlib.contextmanager
def as_in_python_2() -> Iterator[None]:
    """What is imported inside finds modules that take and give strings."""
    stand_in: Any = types.ModuleType("binascii")
    vars(stand_in).update(vars(binascii))
    stand_in.b2a_hex = stand_in.hexlify = hexadecimal
    validating.Utf8Validator, validator = Utf8Validator, validating.Utf8Validator
    sys.modules["binascii"], module = stand_in, sys.modules["binascii"]
    try:
        yield
    finally:
        sys.modules["binascii"] = module
        validating.Utf8Validator = validator


sys.path.insert(0, sys.argv[1])
with as_in_python_2():
    from autobahntestsuite import fuzzing
    from autobahntestsuite.case import case as cases


def short(data: Any, *_: Any, **__: Any) -> str:
    """For the log of the line; the whole might be 16 MiB."""
    text = str(characters(data[:64]))
    return text if len(data) <= 64 else f"{text} ... ({len(data)} in all)"


def equal(_: Any, one: Any, other: Any) -> bool:
    """Pickles were compared before, which tell one string in two places from two strings."""
    return one == other


fuzzing.binLogData = lambda data, *_: hexadecimal(data[:64])
fuzzing.asciiLogData = short
cases.Case.compare = equal


class Protocol(fuzzing.FuzzingClientProtocol):  # type: ignore[misc]
    """The border: strings to the case, bytes to Autobahn."""

    def wants_bytes(self) -> bool:
        """The cases with test data out of files read bytes by themselves."""
        return hasattr(self.Case, "TESTDATA")

    # To the line...

    def sendFrame(
        self, opcode: int, payload: Any = b"", *args: Any, payload_len: Any = None, **kwargs: Any
    ) -> None:
        payload = octets(payload)
        if payload_len is not None:  # repeated up to there; Autobahn's own way is Python 2
            payload = (payload * (payload_len // len(payload) + 1))[:payload_len]
        super().sendFrame(opcode, payload, *args, **kwargs)

    def sendMessage(self, payload: Any, *args: Any, **kwargs: Any) -> None:
        super().sendMessage(octets(payload), *args, **kwargs)

    def sendMessageFrameData(self, payload: Any, *args: Any, **kwargs: Any) -> Any:
        return super().sendMessageFrameData(octets(payload), *args, **kwargs)

    def sendCloseFrame(self, code: Any = None, reasonUtf8: Any = None, isReply: Any = False) -> Any:
        return super().sendCloseFrame(code, octets(reasonUtf8), isReply)

    # From the line...

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        message = payload if self.wants_bytes() else characters(payload)
        super().onMessage(message, isBinary)

    def onPong(self, payload: bytes) -> None:
        super().onPong(characters(payload))

    def logRxFrame(self, header: Any, payload: Any) -> None:
        if self.createStats:
            self.rxFrameStats[header.opcode] = self.rxFrameStats.get(header.opcode, 0) + 1
        if self.createWirelog:
            self.wirelog.append(("RF", header.opcode, header.fin, short(b"".join(payload))))


class Factory(fuzzing.FuzzingClientFactory):  # type: ignore[misc]
    """Tells of each case at once, and writes no report."""

    def __init__(self, spec: dict[str, Any], share: str) -> None:
        self.share = share
        self.specCases: list[str]
        super().__init__(spec)

    def nextServer(self) -> bool:
        """The first and only one is where the list of cases is complete."""
        if self.currServer < 0:
            number, parts = map(int, self.share.split("/"))
            self.specCases = self.specCases[number::parts]
            tell({"cases": len(self.specCases)})
            if not self.specCases:  # more clients than cases
                reactor.callWhenRunning(reactor.stop)
                return False
        return super().nextServer()

    def logCase(self, results: dict[str, Any]) -> None:
        tell(
            {
                "id": results["id"],
                "title": results["description"],
                "behavior": results["behavior"],
                "close": results["behaviorClose"],
                "result": f"{results['result']} {results['resultClose']}",
                "ms": results["duration"],
                "wire": [str(line) for line in results["wirelog"][-40:]],
            }
        )

    def createReports(self, *_: Any, **__: Any) -> None:
        pass


fuzzing.FuzzingClientProtocol = Protocol
OUTPUT = sys.stdout


def tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), file=OUTPUT, flush=True)


def main() -> None:
    url, seconds, share, patterns = sys.argv[2], float(sys.argv[3]), sys.argv[4], sys.argv[5:]
    sys.stdout = sys.stderr  # for what it says to people
    Factory({"servers": [{"agent": "server", "url": url}], "cases": patterns}, share)
    reactor.callLater(seconds, reactor.stop)
    reactor.run()


if __name__ == "__main__":
    main()
