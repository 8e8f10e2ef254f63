"""Keys and the answers kept under them. All are steps of whatever request carries the key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection

from shared_apps.idempotency.errors import KeyUsedOtherwise, StillRunning
from shared_apps.idempotency.models import IdempotencyKey
from shared_apps.kernel import clock, ids
from shared_apps.kernel.operations import step
from tenants import locks

KEPT_FOR = timedelta(hours=48)
_TAKE_KEY = """
    SELECT is_taken, method, path, request_hash, status, headers::text, body
    FROM idempotency_take_key(%s, %s, %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a key stands for: who asks, under which key, and for exactly what."""

    user_id: UUID
    key: str
    method: str
    path: str
    content_hash: str
    moves_money: bool

    @property
    def id(self) -> UUID:
        return ids.uuid8_from("idempotency", self.user_id, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it is kept. `body` is JSON, empty where there was none."""

    status: int
    headers: Mapping[str, str]
    body: str


@step
def take_key(*, request: Request) -> Answer | None:
    """Keep the key to this transaction, and answer what this request was answered before.

    None if it is the first. The key is let go when the transaction ends, however it does.

    :raises StillRunning: another transaction holds it.
    :raises KeyUsedOtherwise: the key was used for another request.
    """
    lock = locks.lock_number(f"idempotency:{request.user_id}:{request.key}")
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_KEY, [lock, request.user_id, request.key])
        is_taken, method, path, request_hash, status, headers, body = cursor.fetchone()
    if not is_taken:
        raise StillRunning(retry_after=1)
    if method is None:
        return None
    if (method, path, request_hash) != (request.method, request.path, request.content_hash):
        raise KeyUsedOtherwise
    return Answer(status=status, headers=json.loads(headers), body=body)


@step
def keep_answer(*, request: Request, answer: Answer) -> None:
    """Keep the answer in the transaction of the act that it answers. The key is taken."""
    IdempotencyKey.objects.create(
        id=request.id,
        user_id=request.user_id,
        key=request.key,
        method=request.method,
        path=request.path,
        request_hash=request.content_hash,
        status=answer.status,
        headers=dict(answer.headers),
        body=answer.body,
        moved_money=request.moves_money,
    )


@step
def free_old_keys() -> int:
    """Free keys that moved no money and are older than `KEPT_FOR`; how many there were."""
    old = IdempotencyKey.objects.filter(moved_money=False, created_at__lt=clock.now() - KEPT_FOR)
    freed, _ = old.delete()
    return freed
