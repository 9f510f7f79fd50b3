"""Applications for the process tests."""

from __future__ import annotations

PIDS = """
import ctypes, logging, os, sys, time
from photon import Photon

app = Photon()
log = logging.getLogger("shop")

@app.get("/")
def pid():
    return str(os.getpid())

@app.get("/gate")
def gate():
    log.info("in the gate", extra={"pid": os.getpid()})
    while not os.path.exists("open"):
        time.sleep(0.01)
    return "through"

@app.get("/stubborn")
def stubborn():
    log.info("in the gate", extra={"pid": os.getpid()})
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

@app.get("/blocked")
def blocked():
    log.info("blocks", extra={"pid": os.getpid()})
    ctypes.CDLL(None).sleep(600)  # nobody else gets in

@app.get("/computes")
def computes():
    log.info("blocks", extra={"pid": os.getpid()})
    while True:
        pass
"""
"""Answers with the pid; and what waits, blocks and does not let itself be stopped."""

SLOW_IMPORT = (
    """
import ctypes, os, sys
sys.stderr.write("imports\\n")
sys.stderr.flush()
while not os.path.exists("open"):
    ctypes.CDLL(None).usleep(5000)
"""
    + PIDS
)
"""The same, imported only when there is a file `open`."""
