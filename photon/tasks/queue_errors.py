"""What can go wrong between sending a job and running it.

TaskFault
├── QueueError             a queue that cannot be used as it was set up; also a RuntimeError
├── QueueUnavailable       its server could not be reached: nothing was enqueued
├── QueueFull              too many jobs wait in this process: nothing was enqueued
├── ArgumentError          arguments that cannot be sent; also a TypeError
└── UnfitArguments         a job arrived with arguments that its function does not take
"""

from __future__ import annotations

from photon.tasks.errors import TaskFault


class QueueError(TaskFault, RuntimeError):
    """A queue that cannot be used as it was set up; the message names the way out."""


class QueueUnavailable(TaskFault):
    """The queue's server could not be reached in time, so nothing was enqueued.

    Attributes: where: the server, without its password.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} could not be reached, and nothing was enqueued: {why}")
        self.where = where


class QueueFull(TaskFault):
    """As many jobs wait in this process as may; nothing was enqueued."""


class ArgumentError(TaskFault, TypeError):
    """Arguments that the function does not take, or that cannot be sent; nothing was enqueued."""


class UnfitArguments(TaskFault):
    """A job arrived with arguments that its function does not take.

    Mostly it was sent by another version of the application.
    """
