"""A job that takes long: started by a request, watched live by others, and cancelled by one.

photon run examples.progress:app

Open http://127.0.0.1:8000/ (its page is progress.html), or:

curl -i http://127.0.0.1:8000/jobs --json '{"photos": 40}'
curl -N http://127.0.0.1:8000/jobs/1/events
curl -i http://127.0.0.1:8000/jobs/1 -X DELETE
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import uniform
from typing import Annotated, Literal

from msgspec import Meta, Struct

from photon import (
    CancelScope,
    Event,
    EventStream,
    Header,
    HTTPError,
    Photon,
    Request,
    Response,
    ServerSentEvent,
    map_concurrent,
    sleep,
    spawn,
)

PAGE = Path(__file__).with_name("progress.html")
AT_ONCE, MOST_RUNNING, MOST_KEPT = 4, 10, 1000
PHOTO_S = 0.5

State = Literal["running", "done", "cancelled", "failed"]


class NewJob(Struct, forbid_unknown_fields=True):
    photos: Annotated[int, Meta(ge=1, le=500)] = 40


class Progress(Struct):
    """Where a job stands."""

    job: int
    state: State
    done: int
    total: int
    said: str


class Job:
    """Some photos to be developed. All of its progress is kept, for who comes late."""

    def __init__(self, number: int, photos: int) -> None:
        self.number = number
        self.photos = photos
        self.scope = CancelScope()
        self.steps: list[Progress] = []
        self._changed = Event()
        self.tell("running", 0, "It has begun.")

    @property
    def now(self) -> Progress:
        return self.steps[-1]

    @property
    def is_over(self) -> bool:
        return self.now.state != "running"

    def tell(self, state: State, done: int, said: str) -> None:
        """Note a step, and wake all who watch. They are greenlets: this needs no lock."""
        self.steps.append(Progress(self.number, state, done, self.photos, said))
        self._changed.set()
        self._changed = Event()  # an Event happens once; this is the next one

    def watch(self, seen: int) -> Iterator[ServerSentEvent]:
        """The steps after number `seen`, and those that come, to the end of the job."""
        while True:
            changed = self._changed  # first: what comes while we send will have set it
            for step in self.steps[seen:]:
                seen += 1
                yield ServerSentEvent(step, id=str(seen))
            if self.is_over and seen >= len(self.steps):
                return
            changed.wait()


def run(job: Job) -> None:
    """Do the job, in a greenlet of its own."""
    names = (f"IMG_{number:04}" for number in range(1, job.photos + 1))
    state: State = "cancelled"
    said = "It was cancelled."
    try:
        with job.scope:  # its cancel() ends this, and the four that develop, where they wait
            for done, name in enumerate(map_concurrent(develop, names, limit=AT_ONCE), start=1):
                job.tell("running", done, f"{name} is developed.")
            state, said = "done", "All photos are developed."
    except Exception as error:
        state, said = "failed", f"{error}"
        raise  # what fails in a spawned function is logged
    finally:  # also when the server stops, and this was cut off
        job.tell(state, job.now.done, said)


def develop(name: str) -> str:
    sleep(uniform(0.5, 1.5) * PHOTO_S)  # or a query, a request, offload(compute, ...)
    return name


app = Photon(title="Progress")
jobs: dict[int, Job] = {}
numbers = count(1)


@app.post("/jobs")
def add_job(new: NewJob, request: Request) -> tuple[Progress, Literal[202], dict[str, str]]:
    """Start a job.

    202 says that it is accepted, and not done. A server that stops waits for it, for a while.
    """
    if sum(not job.is_over for job in jobs.values()) >= MOST_RUNNING:
        raise HTTPError(503, f"{MOST_RUNNING} jobs are running", headers={"retry-after": "10"})
    job = Job(next(numbers), new.photos)
    jobs[job.number] = job
    if len(jobs) > MOST_KEPT:
        oldest = next(number for number, job in jobs.items() if job.is_over)
        del jobs[oldest]
    spawn(run, job)
    return job.now, 202, {"location": app.url_for(request, "get_job", number=job.number)}


def job_of(number: int) -> Job:
    if number not in jobs:
        raise HTTPError(404, f"there is no job {number}")
    return jobs[number]


@app.get("/jobs/{number}", responses={404: "There is no such job."})
def get_job(number: int) -> Progress:
    return job_of(number).now


@app.delete("/jobs/{number}", status=202, responses={404: "There is no such job."})
def cancel_job(number: int) -> Progress:
    """Tell a job to end. Its events say when it has; one that is over is left as it is."""
    job = job_of(number)
    job.scope.cancel()
    return job.now


@app.get("/jobs/{number}/events", responses={404: "There is no such job."})
def events(number: int, last_event_id: Annotated[int, Header(ge=0)] = 0) -> EventStream | Response:
    """Watch a job. A browser that lost the connection comes back, and gets what it missed."""
    job = job_of(number)
    if job.is_over and last_event_id >= len(job.steps):
        return Response(status=204)  # there is no more, and it need not come back
    return EventStream(job.watch(last_event_id), retry_s=1)


@app.get("/")
def index() -> Response:
    return Response.file(PAGE)
