"""The socket of one browser tab: it says that something changed, never what the change contains.

Close codes: 4401 the ticket is not good or the session has ended; 4400 the client sent something
that is no message; 4408 it fell silent; 4429 the person has too many open; 4503 try again later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from channels.db import DatabaseSyncToAsync
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import OperationalError

from tenant_apps.notifications import live
from tenant_apps.notifications.errors import (
    TicketRefused,
    TicketsUnavailable,
    TooManySockets,
)
from tenant_apps.notifications.groups import payments_group, user_group
from tenants.routing import HOST_NAME

REFUSED = 4401
MALFORMED = 4400
SILENT = 4408
TOO_MANY = 4429
UNAVAILABLE = 4503

HEARTBEAT_SECONDS = 25.0
# Changes that come close together are told together: one question to the database for all.
GATHERING_SECONDS = 0.2
MAXIMUM_MESSAGE = 1024
MAXIMUM_WAITING = 500

logger = structlog.get_logger(__name__)

Result = TypeVar("Result")


class LiveConsumer(AsyncWebsocketConsumer):
    """One socket. It holds a seat (who, in which organization) and no database state."""

    async def connect(self) -> None:
        self.seat: live.Seat | None = None
        self.groups_joined: list[str] = []
        self.waiting: set[UUID] = set()
        self.heard = True
        # More changed than could be remembered: the client is told to read anew.
        self.missed = False
        self.pulse: asyncio.Task[None] | None = None
        self.gathering: asyncio.Task[None] | None = None
        self.host = _host_of(self.scope)
        secret = _ticket_of(self.scope)
        if not self.host or not secret:
            await self.close(code=REFUSED)
            return
        try:
            self.seat = await _in_database(
                live.take_seat, host=self.host, secret=secret, socket=self.channel_name
            )
        except TicketRefused:
            await self.close(code=REFUSED)
            return
        except TooManySockets:
            await self.close(code=TOO_MANY)
            return
        except (TicketsUnavailable, OperationalError):
            await self.close(code=UNAVAILABLE)
            return
        await self._join()
        await self.accept()
        await self._say({"type": "welcome", "heartbeat_seconds": HEARTBEAT_SECONDS})
        self.pulse = asyncio.create_task(self._guarded(self._beat()))

    async def disconnect(self, code: int) -> None:
        for task in (self.pulse, self.gathering):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self.seat is not None:
            await _in_database(live.leave_seat, seat=self.seat)
        for name in self.groups_joined:
            await self.channel_layer.group_discard(name, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        kind = _kind_of(text_data)
        if kind is None:
            await self.close(code=MALFORMED)
            return
        self.heard = True
        if kind == "ping":
            await self._say({"type": "pong"})

    async def payment_changed(self, message: dict[str, Any]) -> None:
        """From the channel layer: a payment changed; whether this person may know is asked."""
        if len(self.waiting) < MAXIMUM_WAITING:
            self.waiting.add(UUID(message["payment"]))
        else:
            self.missed = True
        if self.gathering is None or self.gathering.done():
            self.gathering = asyncio.create_task(self._guarded(self._tell_changes()))

    async def session_changed(self, message: dict[str, Any]) -> None:
        """From the channel layer: a session of this person ended, perhaps this one, or what the
        person may do has changed."""
        if not await self._leave_if_ended():
            await self._join()

    async def _join(self) -> None:
        assert self.seat is not None
        organization_id = self.seat.organization.id
        names = [user_group(organization_id=organization_id, user_id=self.seat.user_id)]
        if self.seat.sees_payments:
            names.append(payments_group(organization_id=organization_id))
        for name in set(self.groups_joined) - set(names):
            await self.channel_layer.group_discard(name, self.channel_name)
        self.groups_joined = names
        for name in names:
            await self.channel_layer.group_add(name, self.channel_name)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """A socket whose work broke down is closed: an open one that says nothing would lie."""
        try:
            await work
        except Exception:
            logger.exception("live_socket_failed")
            await self.close(code=UNAVAILABLE)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if not self.heard:
                await self.close(code=SILENT)
                return
            if await self._leave_if_ended():
                return
            # Rights may have changed, and the layer forgets whoever joined a day ago.
            await self._join()
            self.heard = False
            await self._say({"type": "heartbeat"})

    async def _leave_if_ended(self) -> bool:
        if self.seat is None:
            return True
        present = await _in_database(live.present_seat, seat=self.seat, host=self.host)
        if present is not None:
            self.seat = present
            return False
        await self.close(code=REFUSED)
        return True

    async def _tell_changes(self) -> None:
        while self.waiting and self.seat is not None:
            await asyncio.sleep(GATHERING_SECONDS)
            asked, self.waiting = self.waiting, set()
            changes = await _in_database(
                live.visible_changes, seat=self.seat, host=self.host, payment_ids=asked
            )
            if changes is None:
                await self.close(code=REFUSED)
                return
            for change in changes:
                await self._say({"type": "payment_changed", "payment": change})
        if self.missed:
            self.missed = False
            if await self._leave_if_ended() or not self.seat or not self.seat.sees_payments:
                return
            await self._say({"type": "refresh"})

    async def _say(self, message: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(message))


async def _in_database(function: Callable[..., Result], **values: Any) -> Result:
    # Not on asgiref's one shared thread: a slow question of one socket would stop all others.
    call = DatabaseSyncToAsync(function, thread_sensitive=False)
    result: Result = await call(**values)
    return result


def _host_of(scope: dict[str, Any]) -> str:
    """The host that was asked for, without its port; empty where it is malformed or doubled."""
    given = [value for name, value in scope["headers"] if name == b"host"]
    if len(given) != 1:
        return ""
    try:
        host = given[0].decode("ascii").lower()
    except UnicodeDecodeError:
        return ""
    name = host.rsplit(":", 1)[0].removesuffix(".")
    return name if HOST_NAME.match(name) else ""


def _ticket_of(scope: dict[str, Any]) -> str:
    try:
        query = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=5)
    except (UnicodeDecodeError, ValueError):
        return ""
    given = query.get("ticket", [])
    return given[0] if len(given) == 1 and len(given[0]) <= 200 else ""


def _kind_of(text: str | None) -> str | None:
    """The type of a client's message; None for what is not one of the two that exist."""
    if text is None or len(text) > MAXIMUM_MESSAGE:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    kind = message.get("type") if isinstance(message, dict) else None
    return kind if kind in ("ping", "pong") else None
