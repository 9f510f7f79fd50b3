"""What becomes of dramatiq's messages; imports dramatiq, so it is imported by the worker alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

import redis
from dramatiq import Broker
from dramatiq.broker import MessageProxy
from dramatiq.errors import ActorNotFound
from dramatiq.middleware import Middleware

from photon.tasks.arrivals import CutOff, GivenUp, TryAgain

logger = logging.getLogger("photon.tasks")

_AGAIN_S = 3.0


class Keeping(Middleware):
    """In place of dramatiq's `Retries`: Photon's tasks say themselves when they are tried again.

    A message is acknowledged after this, so at each moment it is in Redis at least once.
    """

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        if isinstance(exception, TryAgain):
            retries = message.options.get("retries", 0) + 1
            again = message.copy(options={"retries": retries})
            _keep(broker, again, int(exception.delay_s * 1000) or None)
        elif isinstance(exception, CutOff):
            _keep(broker, message.copy(), None)
        elif exception is not None:
            message.options["failed_at"] = int(time.time() * 1000)
            message.fail()  # to the dead letters


def _keep(broker: Broker, message: Any, delay_ms: int | None) -> None:
    """Put it into Redis again. While that is away it waits: the message is acknowledged next."""
    while True:
        try:
            broker.enqueue(message, delay=delay_ms)
            return
        except (redis.RedisError, OSError) as error:
            logger.error("Redis did not take a job back, which is tried again: %s", error)
            time.sleep(_AGAIN_S)


def quiet(queues: Iterable[str]) -> None:
    """Have dramatiq's loggers say what nobody else says: attempts and failures are told already.

    Args: queues: whose consumers' loggers are meant, too; each has its own.
    """
    dramatiqs = logging.getLogger("dramatiq")
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        dramatiqs.setLevel(logging.WARNING)
    logging.getLogger("dramatiq.worker.WorkerThread").addFilter(_told_by_us)
    for queue in queues:
        for name in (queue, f"{queue}.DQ"):
            consumer = logging.getLogger(f"dramatiq.worker.ConsumerThread({name})")
            consumer.addFilter(_told_by_us)


def _told_by_us(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, ActorNotFound):
        record.msg = (
            "a job of the task %s arrived, which this application does not have; it is kept with "
            "the dead letters of its queue"
        )
        record.args = (str(error),)
        record.exc_info = None
    return not isinstance(error, TryAgain | CutOff | GivenUp)
