"""The table of states: what may come from where, and that it ends."""

from __future__ import annotations

import pytest

from photon.ws.states import TRANSITIONS, State, Step

OPEN, LOCAL, REMOTE, CLOSED = State


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([], OPEN),
        ([Step.CLOSE_SENT], LOCAL),
        ([Step.CLOSE_SENT, Step.CLOSE_RECEIVED], CLOSED),
        ([Step.CLOSE_SENT, Step.STREAM_ENDED], CLOSED),
        ([Step.CLOSE_SENT, Step.FAILED], CLOSED),
        ([Step.CLOSE_RECEIVED], REMOTE),
        ([Step.CLOSE_RECEIVED, Step.STREAM_ENDED], REMOTE),
        ([Step.CLOSE_RECEIVED, Step.STREAM_ENDED, Step.CLOSE_SENT], CLOSED),
        ([Step.FAILED, Step.CLOSE_SENT], CLOSED),
        ([Step.STREAM_ENDED, Step.STREAM_ENDED], CLOSED),
    ],
)
def test_where_steps_lead(steps: list[Step], state: State) -> None:
    at = State.OPEN
    for step in steps:
        at = at.after(step)
    assert at is state


def test_only_an_open_one_can_send() -> None:
    assert [state for state in State if state.can_send] == [State.OPEN]


def test_a_close_frame_is_sent_once_and_nothing_is_read_behind_one() -> None:
    for state in (State.LOCAL_CLOSING, State.CLOSED):
        assert (state, Step.CLOSE_SENT) not in TRANSITIONS
    for state in (State.REMOTE_CLOSING, State.CLOSED):
        assert (state, Step.CLOSE_RECEIVED) not in TRANSITIONS
