"""What an application forks is no second server. With real processes, as it is about them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import spawn
from tests.fleet import PATIENCE_S, Fleet, running
from tests.processes import get

FORKS = """
import ctypes, logging, multiprocessing, os, signal, subprocess, time
from photon import Photon, nursery

app = Photon()
fork = multiprocessing.get_context("fork")
children = []

def begin(work, *args):
    child = fork.Process(target=work, args=args)
    child.start()
    children.append(child)
    return str(child.pid)

def said(name):
    while not os.path.exists(name):
        time.sleep(0.005)

@app.get("/")
def pid():
    return str(os.getpid())

@app.get("/gate")
def gate():
    logging.getLogger("shop").info("at the gate")
    said("open")
    with open("passed", "a") as file:
        file.write(f"{os.getpid()}\\n")
    return "through"

def waits():
    for _ in range(20):
        time.sleep(0.005)
    open("waited", "w").close()
    said("end")

@app.get("/waits")
def fork_one_that_waits():
    began = begin(waits)
    said("waited")
    return began

@app.get("/terminates")
def terminate_one():
    begin(waits)
    children[-1].terminate()
    children[-1].join()
    return str(children[-1].exitcode)

@app.get("/stubborn")
def fork_one_that_outlives_all():
    pid = os.fork()
    if not pid:
        signal.alarm(60)
        ctypes.CDLL(None).pause()
        os._exit(0)
    return str(pid)

@app.get("/falls")
def fork_one_that_comes_back():
    pid = os.fork()
    if pid:
        return str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    time.sleep(0.01)
    raise LookupError("in the child")

def does_a_lot(end):
    done = []
    with nursery() as n:
        for number in range(3):
            n.spawn(lambda number=number: (time.sleep(0.001), done.append(number)))
    program = subprocess.run(["echo", "hi"], capture_output=True, text=True)
    end.send((sorted(done), program.stdout))

@app.get("/busy")
def fork_a_busy_one():
    ours, theirs = fork.Pipe()
    begin(does_a_lot, theirs)
    children[-1].join()
    return repr(ours.recv())
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with running(FORKS, "--workers", "1", folder=tmp_path) as fleet:
        yield fleet


def test_a_forked_child_that_waits_answers_nobody_and_ends_no_request_again(fleet: Fleet) -> None:
    (worker,) = fleet.workers.values()
    waiting = spawn(get, fleet.port, "/gate")
    fleet.log.wait_for("at the gate")
    assert get(fleet.port, "/waits")[0] == 200
    answered_by = {get(fleet.port, "/")[1] for _ in range(100)}
    (fleet.folder / "open").touch()
    waiting.join()
    assert waiting.result == (200, b"through")
    (fleet.folder / "end").touch()
    assert fleet.stop() == 0
    assert answered_by == {str(worker).encode()}
    assert (fleet.folder / "passed").read_text() == f"{worker}\n"


def test_a_signal_for_a_child_is_none_for_the_worker(fleet: Fleet) -> None:
    workers = fleet.workers
    assert get(fleet.port, "/terminates") == (200, b"-15")
    assert get(fleet.port, "/")[0] == 200
    assert fleet.workers == workers
    assert not fleet.log.count("stopping")


def test_a_child_that_outlives_the_server_does_not_hold_its_port(fleet: Fleet) -> None:
    assert get(fleet.port, "/stubborn")[0] == 200
    fleet.process.terminate()
    with fail_after(PATIENCE_S):
        assert fleet.process.wait() == 0
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", fleet.port)) != 0


def test_a_child_that_comes_back_from_the_handler_is_ended(fleet: Fleet) -> None:
    try:
        get(fleet.port, "/falls")
    except OSError:
        pass  # what this one client hears of it is its handler's fault
    fleet.log.wait_for("was forked by a request, and ends")
    (worker,) = fleet.workers.values()
    assert get(fleet.port, "/") == (200, str(worker).encode())
    assert fleet.stop() == 0


def test_a_child_has_a_hub_of_its_own_as_soon_as_it_waits(fleet: Fleet) -> None:
    assert get(fleet.port, "/busy") == (200, b"([0, 1, 2], 'hi\\n')")
    assert fleet.stop() == 0
