"""The same small application for every server, written as that server's own users would.

    GET  /json           {"message": "Hello, World!"}, encoded anew for each request
    GET  /items/{id}     {"id": id, "q": q}: a typed path value, an optional query value
    POST /items          {"name", "price"} in JSON -> the same with an id
    GET  /bytes10k       10 KiB of text
    GET  /wait10         a handler that waits 10 ms the natural way of its server
    GET  /wait50         the same, 50 ms

A framework decodes and checks values with what it brings along; a bare server's application parses
by hand and uses msgspec. `loadtests/servers.py` says how each is started.
"""

TEXT_10K = "0123456789abcdef" * 640
