"""Where a WebSocket stands, and what takes it from there.   Source: RFC 6455 §7.1."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Whether it is closed, by whom so far."""

    OPEN = "open"
    LOCAL_CLOSING = "local closing"  # our close frame is out; messages that still come are dropped
    REMOTE_CLOSING = "remote closing"  # theirs came; ours is due, and nothing else
    CLOSED = "closed"

    @property
    def can_send(self) -> bool:
        """Whether messages may be sent."""
        return self is State.OPEN

    def after(self, step: Step) -> State:
        """The state behind this step.   Raises: KeyError: it cannot be taken from here."""
        return TRANSITIONS[self, step]


class Step(Enum):
    """What moves it."""

    CLOSE_SENT = "close sent"
    CLOSE_RECEIVED = "close received"
    STREAM_ENDED = "stream ended"  # the peer sends nothing any more
    FAILED = "failed"  # it broke the protocol: nothing more of it is read


TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.OPEN, Step.CLOSE_SENT): State.LOCAL_CLOSING,
    (State.OPEN, Step.CLOSE_RECEIVED): State.REMOTE_CLOSING,
    (State.OPEN, Step.STREAM_ENDED): State.CLOSED,
    # RFC 6455 §7.1.7: "the endpoint SHOULD send a Close frame with an appropriate status code
    # before proceeding to _Close the WebSocket Connection_", and it reads nothing afterwards, "a
    # responding Close frame" included: as if it had received one.
    (State.OPEN, Step.FAILED): State.REMOTE_CLOSING,
    (State.LOCAL_CLOSING, Step.CLOSE_RECEIVED): State.CLOSED,
    (State.LOCAL_CLOSING, Step.STREAM_ENDED): State.CLOSED,
    (State.LOCAL_CLOSING, Step.FAILED): State.CLOSED,
    # It may have closed only its sending side behind its close frame: ours is still due.
    (State.REMOTE_CLOSING, Step.STREAM_ENDED): State.REMOTE_CLOSING,
    (State.REMOTE_CLOSING, Step.CLOSE_SENT): State.CLOSED,
    (State.CLOSED, Step.STREAM_ENDED): State.CLOSED,
}
