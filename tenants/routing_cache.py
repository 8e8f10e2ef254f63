"""What the routing remembers of each host, in Redis: never an older value over a newer one.

A value carries the version that its rows had when they were read. Redis compares and stores in one
step, so neither two writers nor a slow reader can bring back what was changed since.
"""

import pickle
from typing import Any

import redis
from django.conf import settings
from django.core.cache import caches

from shared_apps.kernel import redis_clients

# However a value came to be stale, it is forgotten after this: nothing makes it live longer.
LIFETIME_SECONDS = 60

_STORE_IF_NEWER = """
local held = redis.call('HGET', KEYS[1], 'version')
if held and tonumber(held) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'values', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


def _server(url: str) -> redis.Redis:
    return redis_clients.client(url, connect_seconds=2, answer_seconds=5)


def _held(host: str, field: str) -> Any:
    return _server(settings.REDIS_URL).hget(_key(host), field)


def _key(host: str) -> str:
    return str(caches["routing"].make_key(f"host:{host}"))


def recall(host: str) -> dict[str, Any] | None:
    """What is known of a host: {} of one that leads nowhere now, None where nothing is.

    :raises RedisError: Redis does not answer.
    """
    found = _held(host, "values")
    # Only we write there: whoever can write to our Redis can have tasks run as well.
    return None if found is None else pickle.loads(found)  # noqa: S301


def version_of(host: str) -> int | None:
    """The version of what is known of a host, None where nothing is.

    :raises RedisError: Redis does not answer.
    """
    found = _held(host, "version")
    return None if found is None else int(found)


def remember(host: str, values: dict[str, Any], *, version: int) -> bool:
    """Store it unless as new a value is there; says whether it was stored.

    :raises RedisError: Redis does not answer.
    """
    server = _server(settings.REDIS_URL)
    stored = server.eval(
        _STORE_IF_NEWER, 1, _key(host), str(version), pickle.dumps(values), str(LIFETIME_SECONDS)
    )
    return bool(stored)


def forget(host: str) -> None:
    """
    :raises RedisError: Redis does not answer.
    """
    _server(settings.REDIS_URL).delete(_key(host))
