"""What stands around handlers: a lifespan, middleware, and what a handler may do with time.

curl -i http://127.0.0.1:8000/report
"""

import time
from collections.abc import Iterator

from photon import Application, Photon, Request, Response, fail_after, move_on_after, spawn

app = Photon(title="Around")


@app.lifespan
def resources() -> Iterator[None]:
    app.state.opened = ["database"]  # before the first request
    yield
    app.state.opened.clear()  # after the last


@app.middleware
def time_it(request: Request, application: Application) -> Response:
    started = time.perf_counter()
    response = application(request)
    milliseconds = (time.perf_counter() - started) * 1000
    response.headers["server-timing"] = f"app;dur={milliseconds:.1f}"
    return response


@app.get("/report")
def report() -> dict[str, object]:
    """Two things at the same time, and one that is given up if it takes too long."""
    news, weather = spawn(ask, "news", 0.05), spawn(ask, "weather", 0.05)
    with move_on_after(0.02) as scope:
        ask("horoscope", 10)
    news.join()
    weather.join()
    return {
        "news": news.result,
        "weather": weather.result,
        "gave_up_on_horoscope": scope.cancelled_caught,
    }


@app.get("/impatient")
def impatient() -> str:
    with fail_after(0.02):  # a TimeoutError, where it waits
        return ask("horoscope", 10)


@app.exception_handler(TimeoutError)
def too_slow(request: Request, error: TimeoutError) -> tuple[str, int]:
    return f"{error}\n", 504


def ask(service: str, seconds: float) -> str:
    time.sleep(seconds)
    return f"the {service} of today"
