"""What tasks have in other frameworks, and what takes its place here."""

from __future__ import annotations

from collections.abc import Mapping

OF_TASKS: Mapping[str, str] = {
    "actor_name": "name",
    "autoretry_for": "retry_on",
    "bind": "current_job() gives the job",
    "default_retry_delay": "backoff",
    "ignore_result": "results are not kept",
    "job_timeout": "timeout",
    "max_retries": "retries",
    "min_backoff": "backoff",
    "pass_context": "current_job() gives the job",
    "queue_name": "queue",
    "retry": "retries",
    "retry_backoff": "backoff",
    "retry_backoff_max": "max_backoff",
    "retry_delay": "backoff",
    "soft_time_limit": "timeout",
    "time_limit": "timeout, in seconds",
}
"""Options of a task, as Celery, dramatiq, RQ, huey and procrastinate have them."""

_AFTER = "send_after(seconds, ...)"
_FIELDS = 'it is a part of a cron expression: @app.cron("*/5 * * * *")'
_PERIOD = 'it is the first argument: @app.every(30), or @app.every("5m")'
_NO_RESULTS = "what a function returns is kept by nobody: have it store what it found"

OF_QUEUED_TASKS: Mapping[str, str] = {
    "apply": "a task is called as the function that it is",
    "apply_async": f"send(...), or {_AFTER}",
    "call_local": "a task is called as the function that it is",
    "configure": "@app.task(queue=..., priority=...)",
    "defer": "send",
    "delay": "send",
    "enqueue": "send",
    "enqueue_at": _AFTER,
    "enqueue_in": _AFTER,
    "get": _NO_RESULTS,
    "message": "send",
    "result": _NO_RESULTS,
    "retry": "@app.task(retries=3): what the function raises is tried again",
    "s": "send",
    "schedule": _AFTER,
    "send_with_options": _AFTER,
    "si": "send",
    "spawn": "spawn(fn, ...) runs it in this process",
}
"""Of a function that can be sent, as the same have it."""

OF_BACKGROUND_TASKS: Mapping[str, str] = {
    "add_background_task": "add",
    "add_job": "add",
    "add_task": "add",
    "append": "add",
    "enqueue": "add",
    "send": "add",
    "spawn": "add",
    "tasks": "jobs",
}
"""Of what is put off until the response was written, as Starlette and others have it."""

OF_SCHEDULES: Mapping[str, str] = {
    "coalesce": 'missed="once"',
    "cron": 'it is the first argument: @app.cron("*/5 * * * *")',
    "day": _FIELDS,
    "day_of_month": _FIELDS,
    "day_of_week": _FIELDS,
    "days": _PERIOD,
    "delay": _PERIOD,
    "every": _PERIOD,
    "expr": "expression",
    "hour": _FIELDS,
    "hours": _PERIOD,
    "id": "name",
    "immediate": "run_on_start",
    "interval": _PERIOD,
    "max_instances": 'overlap="concurrent", or "queue"',
    "max_retries": "retries",
    "minute": _FIELDS,
    "minutes": _PERIOD,
    "misfire_grace_time": "TaskSettings(late_s=...)",
    "month": _FIELDS,
    "on_startup": "run_on_start",
    "run_immediately": "run_on_start",
    "second": _FIELDS,
    "seconds": _PERIOD,
    "time_limit": "timeout",
    "tz": "timezone",
    "tzinfo": "timezone",
    "wait_first": "run_on_start",
    "weeks": _PERIOD,
}
"""Options of what has a schedule, as APScheduler, Celery, fastapi-utils and others have them."""

OF_SETTINGS: Mapping[str, str] = {
    "concurrency": "at_once, or `photon worker --concurrency`",
    "grace_s": "drain_s",
    "max_instances": "at_once",
    "misfire_grace_time": "late_s",
    "shutdown_timeout": "drain_s",
    "tz": "timezone",
}
"""Settings of tasks, as APScheduler and others have them."""
