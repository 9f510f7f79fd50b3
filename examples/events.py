"""Server-sent events: a board that everybody who looks at it sees change, and its download.

photon run examples.events:app

Open http://127.0.0.1:8000/ in two windows and write something, or:

curl -N http://127.0.0.1:8000/events
curl -N http://127.0.0.1:8000/events -H 'Last-Event-ID: 2'
curl http://127.0.0.1:8000/messages --json '{"text": "hello"}'
curl http://127.0.0.1:8000/messages.ndjson
"""

from collections.abc import Iterator
from threading import Condition
from typing import Annotated

from msgspec import Meta, Struct

from photon import NDJSON, EventStream, Header, Photon, Response, ServerSentEvent

HEARTBEAT_S = 15.0


class NewMessage(Struct):
    text: Annotated[str, Meta(min_length=1, max_length=500)]


class Message(NewMessage):
    id: int


class Board:
    """All messages, and whoever waits for the next one."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.watchers = 0
        self._changed = Condition()

    def add(self, text: str) -> Message:
        message = Message(text, len(self.messages) + 1)
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()
        return message

    def watch(self, seen: int) -> Iterator[Message]:
        """The messages after number `seen`, and for ever those that come."""
        self.watchers += 1
        try:
            while True:
                with self._changed:
                    while len(self.messages) <= seen:
                        self._changed.wait()
                for message in self.messages[seen:]:
                    yield message
                    seen = message.id
        finally:  # the client left, and this ends where it waits
            self.watchers -= 1


app = Photon(title="Events")
board = Board()


@app.post("/messages", status=201)
def add_message(new: NewMessage) -> Message:
    return board.add(new.text)


@app.get("/events")
def events(last_event_id: Annotated[int, Header(ge=0)] = 0) -> EventStream:
    """A browser that lost the connection comes back by itself, and says what it saw last."""
    since = board.watch(last_event_id)
    messages = (ServerSentEvent(message, id=str(message.id)) for message in since)
    # In silence a heartbeat is sent, so that no proxy takes the stream for dead.
    return EventStream(messages, heartbeat_s=HEARTBEAT_S, retry_s=1)


@app.get("/messages.ndjson")
def download() -> NDJSON:
    """One JSON value a line, each sent as it is made: a million need no more memory than one."""
    disposition = 'attachment; filename="messages.ndjson"'
    return NDJSON(iter(board.messages), headers={"content-disposition": disposition})


@app.get("/")
def index() -> Response:
    return Response.html(PAGE)


PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>Events</title>
<h1>Board</h1>
<form><input name="text" maxlength="500" autofocus required> <button>Write</button></form>
<ul></ul>
<p><a href="/messages.ndjson">Download</a></p>
<script>
    const list = document.querySelector("ul"), form = document.querySelector("form");
    new EventSource("/events").onmessage = event => {
        const item = document.createElement("li");
        item.textContent = JSON.parse(event.data).text;  // as text: nobody writes HTML here
        list.prepend(item);
    };
    form.onsubmit = event => {
        event.preventDefault();
        fetch("/messages", {method: "POST", headers: {"Content-Type": "application/json"},
                            body: JSON.stringify({text: form.text.value})});
        form.reset();
    };
</script>
"""
