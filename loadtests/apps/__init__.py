"""The same small application for every server, written as that server's own users would.

    GET  /json           {"message": "Hello, World!"}, encoded anew for each request
    GET  /items/{id}     {"id", "q", "limit"}: a typed path value, two optional typed query values
    POST /items          {"name", "price"} in JSON -> the same with an id
    POST /orders         five fields with constraints in JSON -> the same once they were checked
    POST /profiles       the same of ten fields; all that is wrong is told at once (frameworks)
    GET  /bytes10k       10 KiB of text
    GET  /wait10         a handler that waits 10 ms the natural way of its server
    GET  /wait50         the same, 50 ms

A framework decodes and checks values with what it brings along; a bare server's application parses
by hand and uses msgspec. `loadtests/servers.py` says how each is started.

What takes uploads (`photon_upload`, `fastapi_upload`) is an application of its own, so that forms
weigh on nobody's start and memory here.
"""

TEXT_10K = "0123456789abcdef" * 640
