"""What WebSockets and rooms have in other frameworks, and what takes its place here."""

from __future__ import annotations

from collections.abc import Mapping

_ITERATE = "for message in ws"
_ITERATE_JSON = "for message in ws.messages(Type)"
_JSON = "ws.receive_json(Type), or for message in ws.messages(Type)"
_STAGE = "ws.is_open, or ws.stage"
_RECEIVE = "receive"

OF_WEBSOCKETS: Mapping[str, str] = {
    # Starlette, FastAPI
    "application_state": _STAGE,
    "app": "what the handler needs comes by its parameters, such as a provider",
    "client": "peer",
    "client_state": _STAGE,
    "cookies": "a handler takes one by its parameters, Annotated[str, Cookie()]",
    "iter_bytes": _ITERATE,
    "iter_json": _ITERATE_JSON,
    "iter_text": _ITERATE,
    "path_params": "path_values",
    "query_params": "query",
    "scope": "request",
    "send_bytes": "send",
    "send_denial_response": "ws.reject(status, detail)",
    "send_text": "send",
    "url": "request",
    # aiohttp
    "can_prepare": "nothing is to be prepared: the first receive or send accepts",
    "exception": "receive and send raise what went wrong, and close_code says how it ended",
    "prepare": "accept",
    "receive_str": "receive_text",
    "send_str": "send",
    # websockets, websocket-client, simple-websocket, gevent-websocket, Tornado, Django Channels
    "accepted_subprotocol": "subprotocol",
    "connected": _STAGE,
    "group_send": "rooms.broadcast(room, message), of Rooms()",
    "handler": "the function that @app.websocket stands above",
    "on_close": "when the loop `for message in ws` ends, the client has left",
    "on_message": _ITERATE,
    "pong": "pings are answered by themselves",
    "read_message": _RECEIVE,
    "receive_data": _RECEIVE,
    "recv": _RECEIVE,
    "remote_address": "peer",
    "send_data": "send",
    "wait_closed": "ws.closed.wait()",
    "wait_for_close": "ws.closed.wait()",
    "write_message": "send",
    # Socket.IO, and all
    "broadcast": "rooms.broadcast(room, message), of Rooms()",
    "disconnect": "close",
    "emit": "send_json",
    "is_closed": "not ws.is_open",
    "join": "rooms.join(room, ws), of Rooms()",
    "json": _JSON,
    "messages_of": "messages",
    "terminate": "close",
}

_LEAVE = "member.leave(), of the member that rooms.join gave, or the end of its `with` block"
_WHO = "rooms.presence(room), of all processes; rooms.get(room).members, of this one"

OF_ROOMS: Mapping[str, str] = {
    "add": "join",
    "close_room": "each connection of rooms.get(room).members has a close()",
    "emit": "broadcast",
    "enter": "join",
    "enter_room": "join",
    "group_add": "join",
    "group_discard": _LEAVE,
    "group_send": "broadcast",
    "join_room": "join",
    "leave": _LEAVE,
    "leave_room": _LEAVE,
    "list": _WHO,
    "members": _WHO,
    "on_change": "on_update",
    "publish": "broadcast",
    "rooms": "list(rooms)",
    "send": "rooms.broadcast(room, message), or rooms.send_to(member, message)",
    "start": "app.lifespan(lambda: rooms)",
    "stop": "app.lifespan(lambda: rooms)",
    "track": "rooms.join(room, ws, info=...)",
    "untrack": _LEAVE,
    "users": _WHO,
}

OF_SETTINGS: Mapping[str, str] = {
    # websockets, uvicorn, hypercorn
    "close_timeout": "close_timeout_s",
    "compression": "deflate=Deflate()",
    "max_size": "message_bytes",
    "origins": "@app.websocket(path, origins=[...])",
    "per_message_deflate": "deflate=Deflate()",
    "ping_interval": "ping_interval_s",
    "ping_timeout": "ping_timeout_s",
    "subprotocols": "ws.accept(subprotocol), one of ws.subprotocols",
    "websocket_max_message_size": "message_bytes",
    "websocket_ping_interval": "ping_interval_s",
    "ws_max_size": "message_bytes",
    "ws_per_message_deflate": "deflate=Deflate()",
    "ws_ping_interval": "ping_interval_s",
    "ws_ping_timeout": "ping_timeout_s",
    # aiohttp, Tornado, gevent-websocket, Socket.IO, and all
    "compress": "deflate=Deflate()",
    "heartbeat": "ping_interval_s",
    "idle_timeout": "ping_interval_s",
    "max_frame_size": "frame_bytes",
    "max_http_buffer_size": "message_bytes",
    "max_message_bytes": "message_bytes",
    "max_message_size": "message_bytes",
    "max_msg_size": "message_bytes",
    "max_payload": "message_bytes",
    "message_size": "message_bytes",
    "receive_timeout": "ping_interval_s",
    "websocket_ping_timeout": "ping_timeout_s",
}
"""Settings, as servers and libraries have them."""
