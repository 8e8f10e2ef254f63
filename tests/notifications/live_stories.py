"""Short ways to open sockets, and to act beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection

from shared_apps.accounts.models import Session
from tenant_apps.notifications.tickets import Ticket, issue_ticket
from tenants.context import tenant_context
from tests import people
from tests.cast import Cast
from tests.notifications.browser_tab import BrowserTab

HOST = "acme.kontor.test"
HOSTS = {"t_test_acme": HOST, "t_test_neighbour": "neighbour.kontor.test"}


def session_of(cast: Cast, name: str) -> Session:
    return people.session_of(cast.user(name))


def ticket_for(organization: Any, cast: Cast, session: Session) -> str:
    return issue_ticket(
        Ticket(
            organization_id=organization.id,
            user_id=session.user_id,
            session_id=session.pk,
        )
    )


def socket(ticket: str, *, host: str = HOST) -> BrowserTab:
    return BrowserTab(f"/live/?ticket={ticket}", host=host)


def play(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story on an event loop of its own, as the socket server does."""

    async def whole() -> None:
        try:
            await story()
        finally:
            await get_channel_layer().close_pools()

    asyncio.run(whole())


async def beside(organization: Any, act: Callable[[], Any]) -> Any:
    """An act of another process: on another thread, in the organization."""

    def run() -> Any:
        try:
            with tenant_context(organization):
                return act()
        finally:
            connection.close()

    return await sync_to_async(run, thread_sensitive=False)()
