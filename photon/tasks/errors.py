"""What can go wrong with work that is done later.

Exception
├── TaskFault              the root of what this room raises on purpose
│   ├── TaskError          a function that cannot be a task; also a TypeError
│   ├── ScheduleError      a period or a cron expression that cannot be; also a ValueError
│   ├── DuplicateTask      two tasks of one name; also a ValueError
│   └── ElectionError      whether this worker shall do a run could not be found out
└── JobTimedOut            a job's attempt took longer than it may; also a TimeoutError
"""

from __future__ import annotations


class TaskFault(Exception):
    """The root of what the room of tasks raises on purpose."""


class TaskError(TaskFault, TypeError):
    """A function that cannot be a task, or options that do not go together."""


class ScheduleError(TaskFault, ValueError):
    """A period, a cron expression or a time zone that cannot be; the message names the place."""


class DuplicateTask(TaskFault, ValueError):
    """Two tasks have one name, which logs and locks tell them apart by."""


class ElectionError(TaskFault):
    """Whether this worker shall do a run could not be found out, so it was not done here."""


class JobTimedOut(TimeoutError):
    """A job's attempt took longer than it may, and was stopped where it waited.

    Attributes: seconds: what it was given; place: where it waited, such as "shop.py:12 in sweep".
    """

    def __init__(self, seconds: float, place: str) -> None:
        super().__init__(f"it took longer than {seconds:g} s and was stopped at {place}")
        self.seconds = seconds
        self.place = place
