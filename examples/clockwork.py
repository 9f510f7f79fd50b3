"""What an application does by itself: every so often, by the calendar, later, and afterwards.

photon run examples.clockwork:app
photon tasks examples.clockwork:app

curl -i http://127.0.0.1:8000/reminders --json '{"text": "tea is ready", "seconds": 240}'
curl http://127.0.0.1:8000/reminders
curl -i -X DELETE http://127.0.0.1:8000/reminders/1
curl http://127.0.0.1:8000/schedule
curl -X POST http://127.0.0.1:8000/schedule/back-up

All of it is kept in memory: when the application stops, reminders that are not due yet are gone,
which the log tells. What must not get lost belongs into a queue: see mailroom.py. And tests do not
wait for any of it: they move the clock, see tests/examples/test_clockwork.py.
"""

import logging
from datetime import UTC, datetime
from itertools import count
from typing import Annotated

from msgspec import Meta, Struct

from photon import BackgroundTasks, HTTPError, Job, Photon, Timer, spawn_after

log = logging.getLogger("clockwork")
app = Photon(title="Clockwork")

# Once, later. Nobody waits meanwhile, so a million may be pending...


class NewReminder(Struct, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=200)]
    seconds: Annotated[float, Meta(ge=0, le=7 * 86400)]


class Reminder(Struct):
    id: int
    text: str
    due_in_s: float
    state: str


MOST = 10_000
reminders: dict[int, tuple[str, Timer]] = {}
numbers = count(1)


@app.post("/reminders", status=201)
def remind(new: NewReminder, tasks: BackgroundTasks) -> Reminder:
    if len(reminders) >= MOST:
        raise HTTPError(503, f"there are {MOST} reminders already")
    id, timer = next(numbers), spawn_after(new.seconds, ring, new.text)
    reminders[id] = new.text, timer
    # After the response, for which the client does not have to wait; not at all if this handler
    # fails. For the next one an attempt may fail or hang without harm.
    tasks.add(log.info, "reminder %d is due in %g s", id, new.seconds)
    tasks.with_options(timeout="10s", retries=2).add(announce, new.text)
    return shown(id)


@app.get("/reminders")
def list_reminders() -> list[Reminder]:
    return [shown(id) for id in reminders]


@app.delete("/reminders/{id}")
def forget(id: int) -> None:
    """Also one that rings at this moment: it is stopped where it waits."""
    if id not in reminders:
        raise HTTPError(404, f"there is no reminder {id}")
    _, timer = reminders.pop(id)
    timer.cancel()


def shown(id: int) -> Reminder:
    text, timer = reminders[id]
    return Reminder(id, text, timer.due_in_s, timer.state)


def ring(text: str) -> None:
    log.warning("ding! %s", text)


def announce(text: str) -> None:
    log.info("somebody wants to be reminded: %s", text)


# Again and again. While one run goes on the next one is skipped, unless overlap= says otherwise.
# The jitter keeps many processes from doing it in the same moment...


@app.every("10m", jitter="30s")
def sweep() -> None:
    """Forget the reminders that rang."""
    for id, (_, timer) in list(reminders.items()):
        if timer.state not in ("pending", "running"):
            del reminders[id]


# By the calendar, where people live: 02:30 is missing in one night of spring and comes twice in one
# of autumn, and this runs once in each. Of the processes on one machine one does it. What could not
# run since the machine slept is made up for, once for all of it...


def tell_somebody(job: Job, error: BaseException) -> None:
    """No attempt is left: this is where somebody would be woken."""
    log.critical("no backup tonight after %d attempts: %s", job.attempt, error)


@app.cron(
    "30 2 * * *",
    timezone="Europe/Berlin",
    missed="once",
    timeout="5m",  # of each attempt; then it is stopped where it waits
    retries=3,
    backoff="1m",
    on_failure=tell_somebody,
    name="back-up",
)
def back_up() -> None:
    log.info("saving everything")


# What there is, and when it is due...


class Due(Struct):
    name: str
    schedule: str
    next: datetime | None
    running: int
    last: str


@app.get("/schedule")
def list_schedule() -> list[Due]:
    return [
        Due(
            task.name,
            str(task.schedule),
            None if task.next_due is None else datetime.fromtimestamp(task.next_due, UTC),
            len(task.running),
            task.history[-1].outcome if task.history else "",
        )
        for task in app.scheduler.tasks.values()
    ]


@app.post("/schedule/{name}", status=202)
def run_now(name: str) -> dict[str, str]:
    if name not in app.scheduler.tasks:
        raise HTTPError(404, f"there is no task {name!r}")
    job = app.scheduler.tasks[name].run_now()
    return {"job": job.id}
