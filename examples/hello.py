"""The smallest application: `python -m photon run examples.hello:app`."""

import time
from collections.abc import Iterator

from photon import HTTPError, Photon, Request, Response

app = Photon(title="Hello")


@app.get("/")
def index() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/hello/{name}")
def hello(name: str, request: Request) -> str:
    greeting = request.query.get("greeting", "Hello")
    return f"{greeting}, {name}!\n"


@app.get("/squares/{number}")
def square(number: int) -> dict[str, int]:
    if number < 0:
        raise HTTPError(404, "only natural numbers live here")
    return {"number": number, "square": number * number}


@app.get("/slow")
def slow() -> str:
    time.sleep(1)  # blocks this request and no other
    return "worth the wait\n"


@app.get("/count")
def count() -> Response:
    def numbers() -> Iterator[str]:
        for number in range(1, 6):
            yield f"{number}\n"
            time.sleep(0.2)

    return Response.stream(numbers(), content_type="text/plain; charset=utf-8")
