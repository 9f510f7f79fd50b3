"""What can go wrong between sending a job and running it.

TaskFault
├── QueueError             a queue that cannot be used as it was set up; also a RuntimeError
├── QueueUnavailable       its server could not be reached in time
├── QueueFull              too many jobs wait in this process: nothing was enqueued
├── ArgumentError          arguments that cannot be sent; also a TypeError
└── UnfitArguments         a job arrived with arguments that its function does not take
"""

from __future__ import annotations

from photon.tasks.errors import TaskFault


class QueueError(TaskFault, RuntimeError):
    """A queue that cannot be used as it was set up; the message names the way out."""


class QueueUnavailable(TaskFault):
    """The queue's server could not be reached, or did not answer in time.

    Args: enqueues: whether it was to take a job; False of a worker, which wants some.
    Attributes:
        where: the server, without its password.
        may_be_enqueued: False when nothing was enqueued for sure; True when the server had been
            told of the job, and did not say what it did with it.
        unavailable: what a client is told, with a 503, when a handler lets it pass.
    """

    unavailable = "what takes jobs for later is not available"

    def __init__(
        self, where: str, why: str, *, may_be_enqueued: bool = False, enqueues: bool = True
    ) -> None:
        said = "could not be reached"
        if may_be_enqueued:
            said = "did not answer, and whether the job was enqueued is not known"
        elif enqueues:
            said += ", and nothing was enqueued"
        super().__init__(f"{where} {said}: {why}")
        self.where = where
        self.may_be_enqueued = may_be_enqueued


class QueueFull(TaskFault):
    """As many jobs wait in this process as may; nothing was enqueued.

    Attributes: unavailable: what a client is told, with a 503, when a handler lets it pass.
    """

    unavailable = "more jobs wait already than can be taken"


class ArgumentError(TaskFault, TypeError):
    """Arguments that the function does not take, or that cannot be sent; nothing was enqueued."""


class UnfitArguments(TaskFault):
    """A job arrived with arguments that its function does not take.

    Mostly it was sent by another version of the application.
    """
