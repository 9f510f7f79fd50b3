"""Visitors of the shop in `loadtests/apps/photon_app.py`: they look around, offer, come back, err.

A visitor thinks between two requests, remembers what it offered and looks it up again, and gets
something wrong now and then: an answer of 404 or 422 to a wrong request is a success here, any
other answer to it is a failure. Run by `loadtests/load.py`, or by hand:

    locust -f loadtests/locustfile.py --host http://127.0.0.1:8000
"""

import json
import os
import random
from collections import deque
from pathlib import Path
from typing import Any

from locust import FastHttpUser, between, events, task

WORDS = ("lamp", "chair", "table", "shelf", "clock", "vase")
REMEMBERED = 20
NEVER_SOLD = 2_000_000_000


class Visitor(FastHttpUser):
    """One person. The weights say how often each thing is done."""

    wait_time = between(0.2, 1.0)  # seconds of thought
    network_timeout = 10.0
    connection_timeout = 10.0

    def on_start(self) -> None:
        self.offered: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)

    # What goes right...

    @task(4)
    def arrive(self) -> None:
        self.expect(200, "GET", "/json", {"message": "Hello, World!"})

    @task(5)
    def search(self) -> None:
        id, word = random.randrange(1, 10_000), random.choice(WORDS)
        path = f"/items/{id}?q={word}"
        self.expect(200, "GET", path, {"id": id, "q": word}, name="/items/{id}?q=")

    @task(3)
    def offer(self) -> None:
        item = {"name": random.choice(WORDS), "price": round(random.uniform(1, 500), 2)}
        answer = self.expect(201, "POST", "/shop", item, json=item)
        if answer is not None:
            self.offered.append(answer)

    @task(4)
    def look_up_own(self) -> None:
        if not self.offered:
            self.offer()
            return
        item = random.choice(self.offered)
        self.expect(200, "GET", f"/shop/{item['id']}", item, name="/shop/{id}")

    @task(2)
    def read(self) -> None:
        self.expect(200, "GET", "/bytes10k")

    @task(2)
    def wait_for_slow_page(self) -> None:
        self.expect(200, "GET", "/wait50", {"message": "Hello, World!"})

    # What people get wrong...

    @task(1)
    def look_up_unknown(self) -> None:
        self.expect(404, "GET", f"/shop/{NEVER_SOLD}", name="/shop/{unknown}")

    @task(1)
    def follow_dead_link(self) -> None:
        self.expect(404, "GET", "/no/such/page")

    @task(1)
    def mistype_id(self) -> None:
        self.expect(422, "GET", "/items/fortytwo", name="/items/{not a number}")

    @task(1)
    def forget_price(self) -> None:
        self.expect(422, "POST", "/shop", json={"name": "lamp"}, name="/shop (no price)")

    # Asking and judging...

    def expect(
        self,
        status: int,
        method: str,
        path: str,
        values: dict[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, Any] | None:
        """Ask, and count a failure unless status and `values`, if any, are in the answer.

        Returns: the JSON answer when it is as expected and values were, else None.
        """
        with self.client.request(method, path, catch_response=True, **options) as response:
            if response.status_code != status:
                response.failure(f"{status} expected, got {response.status_code}")
                return None
            answer: dict[str, Any] | None = None
            if values is not None:
                answer = response.json()
                if not isinstance(answer, dict) or not values.items() <= answer.items():
                    response.failure(f"{values} expected, got {answer}")
                    return None
            response.success()
            return answer


@events.quitting.add_listener
def write_total(environment: Any, **_: Any) -> None:
    """The figures of all requests, for the gate in `load.py`, into the file it asks for."""
    if "PHOTON_LOAD_TOTAL" not in os.environ:
        return
    total = environment.stats.total
    figures = {
        "requests": total.num_requests,
        "failures": total.num_failures,
        "p95_ms": total.get_response_time_percentile(0.95) or 0.0,
        "rate": total.total_rps,
    }
    Path(os.environ["PHOTON_LOAD_TOTAL"]).write_text(json.dumps(figures))
