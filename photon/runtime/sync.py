"""Locks that greenlets wait for, in a patched process as in any other."""

from __future__ import annotations

from gevent.lock import RLock

__all__ = ["RLock"]
