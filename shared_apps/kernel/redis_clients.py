"""Clients of Redis: one for each address in a process, whoever asks first."""

from __future__ import annotations

import os
import threading

import redis

_clients: dict[tuple[str, float, float], redis.Redis] = {}
_making = threading.Lock()


def _renew_lock_after_fork() -> None:
    # A fork while a client is made would leave the child with a lock nobody opens.
    global _making
    _making = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock_after_fork)


def client(url: str, *, connect_seconds: float, answer_seconds: float) -> redis.Redis:
    """This process's client of an address, which gives up after so many seconds.

    Threads that ask at the same moment get the same one. Were there two, one would be thrown away,
    and with it the connections that are made by it, under the hands of whoever uses them.
    """
    key = (url, connect_seconds, answer_seconds)
    known = _clients.get(key)
    if known is None:
        with _making:
            known = _clients.get(key)
            if known is None:
                known = _clients[key] = redis.Redis.from_url(
                    url, socket_connect_timeout=connect_seconds, socket_timeout=answer_seconds
                )
    return known
