"""What stands around handlers: middleware, a lifespan, and what a handler may do with time.

photon run examples.around:app

curl -i http://127.0.0.1:8000/report
curl -i http://127.0.0.1:8000/impatient
curl -i http://127.0.0.1:8000/numbers --compressed -H 'Origin: https://app.example.com'
curl -i http://127.0.0.1:8000/drafts
"""

import time
from collections.abc import Iterator

from photon import (
    Application,
    Group,
    Photon,
    Request,
    Response,
    fail_after,
    move_on_after,
    spawn,
)
from photon.middleware import CORS, Compression, RequestId, SecurityHeaders


def time_it(request: Request, application: Application) -> Response:
    """Middleware is a function of a request and of what it stands around."""
    started = time.perf_counter()
    response = application(request)
    milliseconds = (time.perf_counter() - started) * 1000
    response.headers["server-timing"] = f"app;dur={milliseconds:.1f}"
    return response


app = Photon(
    title="Around",
    middleware=[  # from the outside in; each sees what the next one answers, problems included
        RequestId(),
        SecurityHeaders(),
        CORS(origins=["https://app.example.com"], expose=["x-request-id"]),
        time_it,
        Compression(),
    ],
)


@app.lifespan
def resources() -> Iterator[None]:
    app.state.opened = ["database"]  # before the first request
    yield
    app.state.opened.clear()  # after the last


@app.get("/numbers")
def numbers() -> list[int]:
    return list(range(1000))


# A group, or a single route, may have some of its own: it stands inside that of the application...


def not_kept(request: Request, application: Application) -> Response:
    response = application(request)
    response.headers["cache-control"] = "no-store"
    return response


drafts = Group("/drafts", middleware=[not_kept])


@drafts.get("")
def list_drafts() -> list[str]:
    return ["On the analytical engine"]


app.include(drafts)

# A handler simply waits, and says how long...


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
