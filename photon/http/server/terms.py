"""What was agreed for one request alone, in place of what the server's settings say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from photon.http.protocol.events import RequestHead
from photon.runtime.whereabouts import Spot, spot_of, told

OnDisconnect: TypeAlias = Literal["cancel", "notify", "ignore"]
"""What a handler gets whose client goes away: `Cancelled` where it waits; `client_has_left` of its
request, at once; or nothing before it answers."""

# A handler that waits is looked at so often within its time, to say how long it stood where.
LOOKS = 16


class Terms(Struct, eq=False):
    """What holds for the request with this head.

    Attributes:
        allowance_s: how long its handler may wait; None for what the settings say.
        on_disconnect: what is done when the client goes away.
        on_left: called in the hub then, where it is "notify".
    """

    head: RequestHead
    allowance_s: float | None = None
    on_disconnect: OnDisconnect = "cancel"
    on_left: Callable[[], object] | None = None


class Stay(Struct, eq=False):
    """How long a handler has stood at one place, as far as it was looked at."""

    spot: Spot | None = None
    since: float = 0.0

    def look(self, carrier: object, moment: float) -> None:
        """Note where it stands now."""
        spot = spot_of(carrier)
        if spot != self.spot:
            self.spot, self.since = spot, moment

    def told(self, carrier: object, moment: float) -> str:
        """Such as "at shop.py:12 in page, for at least 1.9 s"; "" for what does not wait."""
        self.look(carrier, moment)
        if self.spot is None:
            return ""
        stood = moment - self.since
        for_long = f", for at least {stood:.2g} s" if stood > 0 else ""
        return f"at {told(self.spot)}{for_long}"
