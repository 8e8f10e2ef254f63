"""Who gets a live socket and how long they keep it, with real connections, threads and commits."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError, transaction

from shared_apps.accounts.models import Session
from shared_apps.kernel import clock
from shared_apps.outbox.relay import relay_due
from tenant_apps.notifications import live, places, sockets
from tenant_apps.notifications.groups import payments_group
from tenants import routing_cache
from tenants.context import platform_context
from tenants.models import OrganizationState
from tenants.services import set_state
from tests.cast import Cast
from tests.notifications.browser_tab import BrowserTab
from tests.notifications.live_stories import (
    HOST,
    beside,
    play,
    session_of,
    socket,
    ticket_for,
)
from tests.payments.stories import a_payment, an_open_deal

pytestmark = pytest.mark.slow


def test_opens_once_with_a_ticket(real_commits: Any, live_cast: Cast) -> None:
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "olga"))

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        assert await opened.hear("welcome")
        again = socket(ticket)
        assert await again.connect() == sockets.REFUSED
        await opened.say('{"type": "ping"}')
        assert await opened.hear("pong")
        await opened.leave()

    play(story)


def test_opens_at_the_own_host_alone(real_commits: Any, live_cast: Cast) -> None:
    session = session_of(live_cast, "olga")
    hosts = ("neighbour.kontor.test", "nobody.kontor.test", "kontor.test", f"{HOST}@x", "")
    tickets = {host: ticket_for(real_commits, live_cast, session) for host in hosts}

    async def story() -> None:
        for host, ticket in tickets.items():
            assert await socket(ticket, host=host).connect() == sockets.REFUSED, host

    play(story)


def test_opens_to_nobody_without_a_ticket(real_commits: Any, live_cast: Cast) -> None:
    async def story() -> None:
        for query in ("", "?ticket=", "?ticket=x", "?ticket=a&ticket=b", "?a=%ff"):
            tab = BrowserTab(f"/live/{query}", host=HOST)
            assert await tab.connect() == sockets.REFUSED, query

    play(story)


def test_does_not_open_for_a_session_that_has_ended(real_commits: Any, live_cast: Cast) -> None:
    session = session_of(live_cast, "olga")
    ticket = ticket_for(real_commits, live_cast, session)
    Session.objects.filter(pk=session.pk).update(
        revoked_at=clock.now(), revoked_reason="signed_out"
    )

    async def story() -> None:
        assert await socket(ticket).connect() == sockets.REFUSED

    play(story)


def test_closes_when_its_session_ends(real_commits: Any, live_cast: Cast) -> None:
    session = session_of(live_cast, "olga")
    ticket = ticket_for(real_commits, live_cast, session)

    def revoke() -> None:
        Session.objects.filter(pk=session.pk).update(
            revoked_at=clock.now(), revoked_reason="signed_out"
        )

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        await beside(real_commits, revoke)
        assert await opened.closing_code() == sockets.REFUSED

    play(story)


def test_hears_at_once_that_a_session_ended(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared_apps.access.actors import actor_for_user
    from shared_apps.accounts.services import end_session

    # Without any heartbeat within the test's time.
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    session = session_of(live_cast, "olga")
    ticket = ticket_for(real_commits, live_cast, session)

    def sign_out() -> None:
        end_session(actor=actor_for_user(user_id=session.user_id), session_id=session.pk)
        relay_due()

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        await beside(real_commits, sign_out)
        assert await opened.closing_code() == sockets.REFUSED

    play(story)


def test_beats_and_closes_on_silence(real_commits: Any, live_cast: Cast) -> None:
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "olga"))

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        for _ in range(3):
            assert await opened.hear("heartbeat")
            await opened.say('{"type": "pong"}')
        assert await opened.closing_code() == sockets.SILENT

    play(story)


def test_closes_on_what_is_no_message(real_commits: Any, live_cast: Cast) -> None:
    session = session_of(live_cast, "olga")
    texts = ("", "x", "[]", "{}", '{"type": "delete"}', "[" * 900, '{"type":"ping"}' + " " * 2000)
    tickets = {text: ticket_for(real_commits, live_cast, session) for text in texts}

    async def story() -> None:
        for text, ticket in tickets.items():
            opened = socket(ticket)
            assert await opened.connect() is None
            await opened.say(text)
            assert await opened.closing_code() == sockets.MALFORMED, text

    play(story)


def test_a_person_holds_so_many_sockets_and_no_more(
    real_commits: Any, live_cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    settings.LIVE_SOCKETS_PER_PERSON = 2
    session, other = session_of(live_cast, "olga"), session_of(live_cast, "vera")
    tickets = [ticket_for(real_commits, live_cast, session) for _ in range(4)]
    others = ticket_for(real_commits, live_cast, other)

    async def story() -> None:
        first, second = socket(tickets[0]), socket(tickets[1])
        assert await first.connect() is None
        assert await second.connect() is None
        assert await socket(tickets[2]).connect() == sockets.TOO_MANY
        beside_them = socket(others)
        assert await beside_them.connect() is None
        await first.leave()
        third = socket(tickets[3])
        assert await third.connect() is None
        for one in (second, third, beside_them):
            await one.leave()

    play(story)


def test_an_open_socket_keeps_its_place(
    real_commits: Any, live_cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIVE_SOCKETS_PER_PERSON = 1
    monkeypatch.setattr(places, "KEPT_SECONDS", 1)
    session = session_of(live_cast, "olga")
    tickets = [ticket_for(real_commits, live_cast, session) for _ in range(2)]

    async def story() -> None:
        opened = socket(tickets[0])
        assert await opened.connect() is None
        for _ in range(6):
            assert await opened.hear("heartbeat")
            await opened.say('{"type": "pong"}')
        assert await socket(tickets[1]).connect() == sockets.TOO_MANY
        await opened.leave()

    play(story)


def test_a_place_that_nobody_keeps_is_free_again(
    real_commits: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIVE_SOCKETS_PER_PERSON = 1
    monkeypatch.setattr(places, "KEPT_SECONDS", 1)
    whose = {"organization_id": real_commits.id, "user_id": real_commits.id}
    assert places.take_place(**whose, socket="of a process that dies")
    assert not places.take_place(**whose, socket="early")
    assert places.take_place(organization_id=real_commits.id, user_id=uuid4(), socket="other")
    assert places.take_place(organization_id=uuid4(), user_id=real_commits.id, socket="other")
    time.sleep(1.2)
    assert places.take_place(**whose, socket="late")
    monkeypatch.setattr(places, "KEPT_SECONDS", 60)
    places.keep_place(**whose, socket="late")
    time.sleep(1.2)
    assert not places.take_place(**whose, socket="early")
    places.leave_place(**whose, socket="late")
    assert places.take_place(**whose, socket="early")


def test_a_suspended_organizations_socket_is_told_nothing_more(
    real_commits: Any, live_cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    # A test's own prefix of keys is known to its thread alone.
    prefix = f"{settings.REDIS_PREFIX}:{uuid4()}"
    monkeypatch.setattr(routing_cache, "_key", lambda host: f"{prefix}:{host}")
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "vera"))
    payment = a_payment(live_cast, an_open_deal(live_cast))

    def suspend() -> None:
        with platform_context(reason="test"), transaction.atomic():
            set_state(organization_id=real_commits.id, state=OrganizationState.SUSPENDED)

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        assert await opened.hear("welcome")
        await beside(real_commits, suspend)
        await get_channel_layer().group_send(
            payments_group(organization_id=real_commits.id),
            {"type": "payment.changed", "payment": str(payment.pk)},
        )
        assert await opened.closing_code() == sockets.REFUSED

    play(story)


def test_closes_when_the_database_is_gone(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "olga"))

    def gone(**values: Any) -> None:
        raise OperationalError("the database is gone")

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        monkeypatch.setattr(live, "present_seat", gone)
        assert await opened.closing_code() == sockets.UNAVAILABLE

    play(story)
