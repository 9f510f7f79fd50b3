"""How a process speaks to the others that have the same rooms: topics, and notices on them."""

from __future__ import annotations

import logging
from itertools import islice

from photon.ws.brokers.base import Broker
from photon.ws.notices import Notice, Present, encode

logger = logging.getLogger("photon.ws")

# Members in one Present, and rooms in one Asked: no notice gets large.
AT_ONCE = 200


class Voice:
    """Publishes notices.

    Args: name: of all these rooms.   Attributes: all_topic: what all processes hear.
    """

    def __init__(self, broker: Broker, name: str) -> None:
        self._broker = broker
        self._name = name
        self.all_topic = f"{name}/all"

    def room_topic(self, room: str) -> str:
        """What the processes hear that have somebody in the room."""
        return f"{self._name}/room/{room}"

    def process_topic(self, origin: str) -> str:
        """What one process hears."""
        return f"{self._name}/process/{origin}"

    def to_all(self, notice: Notice) -> bool:
        """As `to_room`, to all processes."""
        return self._publish(self.all_topic, notice)

    def to_room(self, room: str, notice: Notice) -> bool:
        """Publish without waiting. Who joins or leaves has no part in a broker's troubles.

        Returns: False when it was not published.
        """
        return self._publish(self.room_topic(room), notice)

    def present(self, origin: str, room: str, members: dict[str, bytes], to: str) -> bool:
        """Say whom this process has in a room, in as many notices as it takes."""
        rest = iter(members.items())
        left = len(members)
        while True:
            part = dict(islice(rest, AT_ONCE))
            left -= len(part)
            if not self.to_room(room, Present(origin, part, left > 0, to)):
                return False
            if left <= 0:
                return True

    def _publish(self, topic: str, notice: Notice) -> bool:
        try:
            return self.send(topic, notice, 0.0)
        except ValueError:
            logger.exception("%r does not carry what is published to %r", self._broker, topic)
            return False

    def send(self, topic: str, notice: Notice, wait_s: float) -> bool:
        """Publish a user's message, waiting so long while there is too much on its way.

        Returns: False when it was not published.   Raises: ValueError: too large; Cancelled.
        """
        try:
            return self._broker.publish(topic, encode(notice), wait_s=wait_s)
        except ValueError:
            raise  # that is for who sends it
        except Exception:  # of a broker that is not ours: who is here is served without it
            logger.exception("%r failed to publish to %r", self._broker, topic)
            return False

    def __repr__(self) -> str:
        return f"<voice of {self._name!r} on {self._broker!r}>"
