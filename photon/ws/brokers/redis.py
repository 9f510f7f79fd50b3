"""Rooms over Redis: its publish and subscribe (Valkey and KeyDB speak it as well).

Two connections a process, however many rooms: one that listens can do nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from photon.ws.brokers.link import Link, Message
from photon.ws.brokers.remote import RemoteBroker


class RedisBroker(RemoteBroker):
    """A broker on a Redis server.

        rooms = Rooms(RedisBroker("redis://localhost:6379"))
        app.lifespan(lambda: rooms)

    While Redis is away messages reach this process only; it is tried again with back-off. Redis
    cuts off a listener that does not keep up (client-output-buffer-limit pubsub), which is a loss
    like any other.

    Args:
        url: redis://, rediss:// (TLS) or unix://, with user and password where needed.
        prefix: of the channels; applications with different ones do not hear each other. The
            number of a database makes no difference.
        timeout_s: how long connecting, and any command, may take.
        max_bytes: of one message.
    """

    product: ClassVar[str] = "Redis"
    schemes: ClassVar[tuple[str, ...]] = ("redis", "rediss", "unix")
    package: ClassVar[str] = "redis"
    extra: ClassVar[str] = "redis"

    def _connect(self) -> Link:
        return _RedisLink(self._url, self._timeout_s)

    def _channel(self, topic: str) -> str:
        return f"{self._prefix}:{topic}"


class _RedisLink:
    def __init__(self, url: str, timeout_s: float) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._timeout_s = timeout_s
        # It would connect again on its own, and what was missed meanwhile would go unnoticed.
        client: Any = redis.Redis
        self._client: Any = client.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        self._pubsub: Any = self._client.pubsub()
        self._received: list[Message] = []

    def fileno(self) -> int:
        # redis-py has no public way to it.
        descriptor: int = self._pubsub.connection._sock.fileno()
        return descriptor

    def listen(self, channels: Sequence[str]) -> None:
        self._pubsub.subscribe(*channels)
        missing = {channel.encode() for channel in channels}
        while missing:
            message = self._next()
            if message is not None and message["type"] == "subscribe":
                missing.discard(message["channel"])

    def unlisten(self, channels: Sequence[str]) -> None:
        self._pubsub.unsubscribe(*channels)

    def send(self, messages: Sequence[Message]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for channel, payload in messages:
            pipeline.publish(channel, payload)
        pipeline.execute()

    def receive(self) -> Sequence[Message]:
        # Not get_message(timeout=0): a message of which only a part is here would be a time-out to
        # it, after which it connects again.
        while len(self._received) < 1000 and self._pubsub.connection.can_read(timeout=0):
            self._next()
        received, self._received = self._received, []
        return received

    def _next(self) -> dict[str, Any] | None:
        message: dict[str, Any] | None = self._pubsub.get_message(timeout=self._timeout_s)
        if message is not None and message["type"] == "message":
            self._received.append((message["channel"].decode(), message["data"]))
        return message

    def close(self) -> None:
        self._pubsub.close()
        self._client.close()
