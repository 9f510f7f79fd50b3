"""Libraries of which it is known that they keep everybody waiting, or how they do not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from photon.cli.checks.finding import Finding, ok, warn

_OFFLOAD = "Call it through photon.offload(fn, ...), which waits in a thread."


class Driver(NamedTuple):
    """A library that waits in C, where no patch reaches.

    Attributes:
        module: by which it is known that the application imported it.
        waits: what it does, as the rest of a sentence.
        way_out: what to do.
        is_harmless: looks, in the process that imported it, whether it was told to cooperate.
    """

    module: str
    waits: str
    way_out: str = _OFFLOAD
    is_harmless: Callable[[], bool] = lambda: False


def _has_wait_callback() -> bool:
    from importlib import import_module

    extensions: Any = import_module("psycopg2.extensions")
    return extensions.get_wait_callback() is not None


def _is_thin() -> bool:
    oracledb: Any = sys.modules["oracledb"]
    return bool(oracledb.is_thin_mode())


DRIVERS = (
    Driver("MySQLdb", "(mysqlclient) waits for MySQL in C", f"Take PyMySQL. Or: {_OFFLOAD}"),
    Driver("_mysql_connector", "(mysql-connector) waits in C", "connect(..., use_pure=True)"),
    Driver(
        "psycopg2",
        "waits for PostgreSQL in libpq",
        "Take psycopg 3, or psycogreen.gevent.patch_psycopg() at the start of the application.",
        _has_wait_callback,
    ),
    Driver("pymssql", "waits for SQL Server in C", f"Take python-tds. Or: {_OFFLOAD}"),
    Driver("pyodbc", "waits for its database in C"),
    Driver("cx_Oracle", "waits for Oracle in C", "Take oracledb in its thin mode."),
    Driver(
        "oracledb",
        "is in its thick mode, which waits in C",
        "Leave init_oracle_client() out.",
        _is_thin,
    ),
    Driver("ibm_db", "waits for DB2 in C"),
    Driver("confluent_kafka", "waits for Kafka in C", f"Poll with 0. Or: {_OFFLOAD}"),
    Driver(
        "grpc",
        "waits in C",
        "grpc.experimental.gevent.init_gevent() at the start of the application.",
    ),
    Driver("pycurl", "waits in libcurl", f"Take requests or httpx. Or: {_OFFLOAD}"),
    Driver("pylibmc", "waits for memcached in C", "Take pymemcache."),
    Driver("zmq", "waits in C", "Take zmq.green in place of zmq."),
    Driver("rocksdb", "waits for the disk in C"),
    Driver("uvloop", "is a loop of asyncio, which cannot run in a hub", "Leave it out."),
)

# What computes holds its process up for as long; nothing is wrong with that when it is short.
COMPUTES = ("PIL", "numpy", "pandas", "sklearn", "torch", "cv2", "bcrypt", "argon2", "lxml")

LOCAL = ("sqlite3", "pysqlite3")


def imported_drivers(modules: Iterable[str]) -> list[str]:
    """Those of the table that this process has imported and that were not told to cooperate."""
    loaded = set(modules)
    return [each.module for each in DRIVERS if each.module in loaded and not _harmless(each)]


def _harmless(driver: Driver) -> bool:
    try:
        return driver.is_harmless()
    except Exception:
        return False


def drivers(waiting: Iterable[str], modules: Iterable[str]) -> Iterator[Finding]:
    """Args: waiting: of `imported_drivers`; modules: all that the application imported."""
    waiting, modules = list(waiting), set(modules)
    for driver in DRIVERS:
        if driver.module in waiting:
            saw = f"{driver.module} {driver.waits}, and every request with it"
            yield warn("drivers", saw, driver.way_out)
    hints = []
    if computing := [name for name in COMPUTES if name in modules]:
        hints.append(
            f"{', '.join(computing)}: what computes for long goes through photon.offload(fn, ...)"
        )
    if any(name in modules for name in LOCAL):
        hints.append("sqlite3 waits for the disk and for locks: long queries through offload")
    if not waiting:
        yield ok("drivers", "none that is known to block", details=tuple(hints))
    elif hints:
        yield ok("libraries", hints[0], details=tuple(hints[1:]))
