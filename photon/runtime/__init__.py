"""Greenlets, time, bytes and OS resources; no HTTP. The only home of gevent and greenlet."""
