"""Starts a server, lets the fuzzing client at it, and judges: 0 when no case failed, else 1."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtests import machine, peers
from loadtests.autobahn import tool
from loadtests.machine import Cores
from loadtests.process import HOST, StartFailed, exit_on_sigterm, on_cores, running
from loadtests.servers import HERE, ROOT, Server

CLIENT = Path(__file__).parent / "client.py"
START_S = 10  # of the client: imports, conversion of nothing

# They echo whatever comes, of any size, and take permessage-deflate when it is offered, which
# only the cases of 12 and 13 do.
SERVERS = {
    "photon": Server(
        "photon",
        HERE,
        "photon run loadtests.apps.photon_autobahn:app --host 127.0.0.1 --port {port}",
        ("photon-web", "gevent", "wsproto"),
    ),
    "websockets": Server(
        "websockets",
        peers.python_of("uvicorn"),
        "loadtests.apps.websockets_echo --port {port} --autobahn",
        ("websockets", "uvloop"),
        environment=(("WEBSOCKETS_MAX_FRAGMENTS", "1000000"),),  # 9.3.1 sends 65,536
    ),
    "autobahn": Server(
        "autobahn",
        tool.PYTHON,
        "loadtests.apps.autobahn_echo --port {port}",
        ("autobahn", "Twisted"),
    ),
}
ALL = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", "12.*", "13.*")
# What takes seconds each: messages of more than 1 MiB, or by the thousand in large pieces.
QUICK = (
    *ALL[:7],
    *(f"9.{kind}.{size}" for kind in (1, 2) for size in (1, 2, 3)),
    *(f"9.{kind}.{size}" for kind in (5, 6, 7, 8) for size in (5, 6)),
    "10.*",
    *(f"12.{data}.{size}" for data in range(1, 6) for size in (1, 4, 11)),
    *(f"13.{parameters}.{size}" for parameters in range(1, 8) for size in (1, 4, 11)),
)

GOOD = ("OK", "INFORMATIONAL")
# Better than failed and worse than strict: what the suite counts as passed.
PASSED = (*GOOD, "NON-STRICT")
CLOSE_PASSED = ("OK", "INFORMATIONAL", "FAILED BY CLIENT")


@dataclass(frozen=True)
class Case:
    """How one case ended; `behavior` and `close` are words of the suite."""

    id: str
    title: str
    behavior: str
    close: str
    result: str
    ms: int
    wire: list[str]

    @property
    def outcome(self) -> str:
        """What the server did; and how the connection ended, if that alone was wrong."""
        if self.behavior in PASSED and self.close not in CLOSE_PASSED:
            return f"CLOSE {self.close}"
        return self.behavior

    @property
    def order(self) -> tuple[int, ...]:
        return tuple(map(int, self.id.split(".")))

    @property
    def subject(self) -> str:
        """The first sentence of the title, without its tags."""
        return " ".join(re.sub("<[^>]*>", " ", self.title).split())


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    exit_on_sigterm()
    try:
        tool.make()
        server = SERVERS[options.server]
        cores = machine.share_cores()
        print(f"{server.name}: {server.versions()}; {', '.join(tool.PINNED)}", flush=True)
        with running(server, cores.server) as target:
            url = f"ws://{HOST}:{target.port}/echo"
            cases, wanted = run(url, options.cases, options.seconds, cores)
    except (tool.ToolFailed, StartFailed) as error:
        print(f"autobahn: {error}", file=sys.stderr)
        return 1
    for line in table(cases, options.verbose):
        print(line)
    return judge(cases, wanted, options.strict)


def run(url: str, patterns: Sequence[str], seconds: float, cores: Cores) -> tuple[list[Case], int]:
    """The cases that came to an end, in order, and how many there should be.

    Each core of the clients has a client of its own with an equal part of the cases.
    """
    count = cores.client_threads
    with tempfile.TemporaryFile() as complaints, on_cores(set(cores.clients or ()) or None):
        clients = [
            subprocess.Popen(
                [
                    *(str(tool.PYTHON), "-W", "ignore", str(CLIENT), str(tool.SUITE), url),
                    *(str(seconds), f"{number}/{count}", *patterns),
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            )
            for number in range(count)
        ]
        try:
            lines = [line for client in clients for line in printed(client, seconds + START_S)]
        finally:
            for client in clients:
                client.kill()
                client.wait()
        complaints.seek(0)
        complained = complaints.read().decode(errors="replace")
    seen = [json.loads(line) for line in lines]
    wanted = [line["cases"] for line in seen if "cases" in line]
    if len(wanted) < count:
        raise tool.ToolFailed(f"the client failed:\n{complained[-3000:]}")
    cases = [Case(**line) for line in seen if "id" in line]
    return sorted(cases, key=lambda case: case.order), sum(wanted)


def printed(client: "subprocess.Popen[str]", seconds: float) -> list[str]:
    try:
        return client.communicate(timeout=seconds)[0].splitlines()
    except subprocess.TimeoutExpired:
        client.kill()
        return client.communicate()[0].splitlines()


# What comes of it...


def table(cases: Sequence[Case], verbose: bool) -> Iterator[str]:
    """How often each outcome came in each group of cases, and then those that were not OK."""
    outcomes = sorted({case.outcome for case in cases}, key=lambda name: (name != "OK", name))
    groups = sorted({case.order[0] for case in cases})
    yield "".join([f"{'cases':10}", *(f"{name:>18}" for name in outcomes), f"{'slowest ms':>14}"])
    for group in groups:
        members = [case for case in cases if case.order[0] == group]
        counts = Counter(case.outcome for case in members)
        slowest = max(case.ms for case in members)
        numbers = "".join(f"{counts[name] or '-':>18}" for name in outcomes)
        yield f"{f'{group}.*':10}{numbers}{slowest:>14,}"
    yield ""
    for case in cases:
        if verbose or case.outcome != "OK":
            yield f"{case.id:9} {case.outcome:16} {case.ms:6,} ms  {case.subject[:100]}"
            if case.outcome not in GOOD:
                yield f"{'':9} {case.result}"
            if verbose and case.outcome not in GOOD:
                yield from (f"{'':9} {line}" for line in case.wire)


def judge(cases: Sequence[Case], wanted: int, strict: bool) -> int:
    failed = [case.id for case in cases if case.outcome not in (GOOD if strict else PASSED)]
    missing = wanted - len(cases)
    print(f"autobahn: {len(cases):,} of {wanted:,} cases ended, {len(failed):,} failed", end="")
    print(f": {', '.join(failed)}" if failed else "")
    if missing:
        print(f"autobahn: {missing} did not end in time (--seconds)")
    return 1 if failed or missing or not cases else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.autobahn", description="Autobahn's fuzzing client."
    )
    parser.add_argument("--cases", metavar="CASE,...", help=f"({','.join(ALL)})")
    parser.add_argument("--quick", action="store_true", help="without what takes long")
    parser.add_argument("--server", choices=SERVERS, default="photon", help="(photon)")
    parser.add_argument("--seconds", type=float, default=3600, help="at most so long (3600)")
    parser.add_argument("--strict", action="store_true", help="NON-STRICT is a failure")
    parser.add_argument("-v", "--verbose", action="store_true", help="list every case")
    options = parser.parse_args(arguments)
    if options.cases:
        options.cases = options.cases.split(",")
    else:
        options.cases = QUICK if options.quick else ALL
    return options


if __name__ == "__main__":
    sys.exit(main())
