"""The application on FastWSGI, a C server on one thread: a handler that waits holds up all."""

import argparse

import fastwsgi

from loadtests.apps.wsgi import app

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    fastwsgi.server.tcp_nodelay = 1
    fastwsgi.server.backlog = 4096
    fastwsgi.run(app, options.host, options.port)
