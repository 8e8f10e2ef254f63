"""Counters in Redis that forget by themselves: one round trip for each count."""

import time

import redis.exceptions
from django.conf import settings
from django.core.cache import cache

from shared_apps.kernel import redis_clients

# Where Redis swallows connections, only one request in this time waits for the timeout.
_PAUSE_SECONDS = 2.0
_ask_again_at = 0.0


def count(key: str, *, seconds: int) -> int:
    """Add one to the counter and say where it stands; it is forgotten after `seconds`.

    The key is made by the cache, so it belongs to the organization that is served.

    :raises RedisError: Redis does not answer.
    """
    global _ask_again_at
    if time.monotonic() < _ask_again_at:
        raise redis.exceptions.ConnectionError("Redis did not answer a moment ago.")
    made = cache.make_key(key)
    server = redis_clients.client(settings.REDIS_URL, connect_seconds=1, answer_seconds=1)
    pipeline = server.pipeline(transaction=False)
    pipeline.incr(made)
    pipeline.expire(made, seconds)
    try:
        counted: int = pipeline.execute()[0]
    except redis.exceptions.RedisError:
        _ask_again_at = time.monotonic() + _PAUSE_SECONDS
        raise
    return counted
