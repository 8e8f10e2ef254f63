"""How many sockets a person holds at once: so many places, and each must be kept by a heartbeat.

Places are counted in Redis, because a person's tabs may be served by different processes. One whose
process died without letting go is free again when nobody has kept it for a while.
"""

from __future__ import annotations

from uuid import UUID

import redis
from django.conf import settings

from tenant_apps.notifications.errors import TicketsUnavailable
from tenant_apps.notifications.tickets import server

KEPT_SECONDS = 90

# Redis' own clock decides, so servers whose clocks differ agree on who is still there.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local most = tonumber(ARGV[2])
if most > 0 and redis.call('ZCARD', KEYS[1]) >= most then
  return 0
end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


def take_place(*, organization_id: UUID, user_id: UUID, socket: str) -> bool:
    """Count a new socket of a person; False where there is no place left.

    :raises TicketsUnavailable: Redis does not answer.
    """
    return _call(_key(organization_id, user_id), socket, most=settings.LIVE_SOCKETS_PER_PERSON)


def keep_place(*, organization_id: UUID, user_id: UUID, socket: str) -> None:
    """Say that an open socket is still there.

    :raises TicketsUnavailable: Redis does not answer.
    """
    _call(_key(organization_id, user_id), socket, most=0)


def leave_place(*, organization_id: UUID, user_id: UUID, socket: str) -> None:
    """Let a place go; where Redis does not answer it is forgotten by itself."""
    try:
        server().zrem(_key(organization_id, user_id), socket)
    except (redis.RedisError, OSError):
        return


def _call(key: str, socket: str, *, most: int) -> bool:
    try:
        return bool(server().eval(_TAKE, 1, key, socket, str(most), str(KEPT_SECONDS)))
    except (redis.RedisError, OSError) as down:
        raise TicketsUnavailable from down


def _key(organization_id: UUID, user_id: UUID) -> str:
    return f"{settings.REDIS_PREFIX}:live-sockets:{organization_id}:{user_id}"
