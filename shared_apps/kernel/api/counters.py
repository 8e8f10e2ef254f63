"""Counters in Redis that forget by themselves: one round trip for each count."""

from functools import cache as once

import redis
from django.conf import settings
from django.core.cache import cache


@once
def _server(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)


def count(key: str, *, seconds: int) -> int:
    """Add one to the counter and say where it stands; it is forgotten after `seconds`.

    The key is made by the cache, so it belongs to the organization that is served.

    :raises RedisError: Redis does not answer.
    """
    made = cache.make_key(key)
    pipeline = _server(settings.REDIS_URL).pipeline(transaction=False)
    pipeline.incr(made)
    pipeline.expire(made, seconds)
    counted: int = pipeline.execute()[0]
    return counted
