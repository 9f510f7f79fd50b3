"""Timers that are pending beside requests, and a function that runs every second."""

import os

from photon import Photon
from photon.runtime.clock import now
from photon.tasks.timers import pending_timers, spawn_after

app = Photon()
ticks: list[float] = []

if os.environ.get("TIMERS_TICK"):

    @app.every(1)
    def tick() -> None:
        ticks.append(now())


@app.get("/json")
def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.post("/timers/{count}")
def start_timers(count: int) -> dict[str, int]:
    """So many that are due in an hour, and one second after the other."""
    for number in range(count):
        spawn_after(3600 + number % 3600, tick_never)
    return {"pending": len(pending_timers())}


@app.get("/ticks")
def tell_ticks() -> list[float]:
    """Seconds on the runtime clock."""
    return ticks


def tick_never() -> None:
    raise AssertionError("an hour is not over yet")
