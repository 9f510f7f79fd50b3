"""What a supervisor tells whoever started it."""

from __future__ import annotations

from photon.cli.supervising import _Telling
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.notify import Notifier
from photon.runtime.workers.orders import Start


class Listening(Notifier):
    """Attributes: told: the states, one after the other."""

    def __init__(self) -> None:
        super().__init__("/nowhere")
        self.told: list[str] = []

    def tell(self, **values: str | int) -> bool:
        self.told.append(str(values["STATUS"]).partition(":")[0])
        return True


def test_a_reload_that_takes_less_than_a_tick_is_told() -> None:
    fleet, notifier = Fleet(1), Listening()
    telling = _Telling(fleet, notifier)

    def boots(pid: int, moment: float) -> None:
        fleet.started(Start(0, fleet.generation), pid, 0, moment)
        fleet.ready(pid, 1.0, moment)

    fleet.begin(0.0)
    boots(1, 0.0)
    telling._tick(0.0)
    fleet.reload(0.01)
    boots(2, 0.02)
    assert not fleet.is_reloading
    telling._tick(0.1)
    telling._tick(0.2)
    assert notifier.told == ["ready", "reloading", "ready"]
