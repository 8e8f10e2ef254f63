"""What a live socket tells, and whom, with real connections, threads and commits."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from channels.layers import get_channel_layer

from shared_apps.access.models import Membership
from shared_apps.access.selectors import root_unit
from shared_apps.access.services import grant_membership
from shared_apps.accounts.models import Session
from shared_apps.outbox.relay import relay_due
from tenant_apps.notifications import live, sockets
from tenant_apps.notifications.groups import payments_group
from tenant_apps.payments.services import verify_payment
from tenants.context import tenant_context
from tenants.selectors import organization_by_subdomain
from tests import people
from tests.cast import Cast, assemble
from tests.notifications.live_stories import (
    HOSTS,
    beside,
    play,
    session_of,
    socket,
    ticket_for,
)
from tests.payments.stories import a_payment, an_open_deal

pytestmark = pytest.mark.slow


def _seat(organization: Any, session: Session) -> live.Seat:
    return live.Seat(
        organization=organization,
        user_id=session.user_id,
        session_id=session.pk,
        socket="test",
        sees_payments=True,
    )


def test_tells_those_who_may_see_the_payment(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody here answers heartbeats.
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    names = ("olga", "lea", "vera", "oscar", "paul")
    tickets = {
        name: ticket_for(real_commits, live_cast, session_of(live_cast, name)) for name in names
    }
    payment = a_payment(live_cast, an_open_deal(live_cast))
    relay_due()

    def verify() -> None:
        verify_payment(actor=live_cast.actor("vera"), payment_id=payment.pk)
        relay_due()

    async def story() -> None:
        opened = {name: socket(ticket) for name, ticket in tickets.items()}
        for one in opened.values():
            assert await one.connect() is None
            assert await one.hear("welcome")
        await beside(real_commits, verify)
        for name in ("olga", "lea", "vera"):
            told = await opened[name].hear("payment_changed")
            assert told["payment"]["id"] == str(payment.pk)
            assert told["payment"]["state"] == "verified"
        await asyncio.sleep(0.4)
        for name in ("oscar", "paul"):
            assert await opened[name].hears_nothing()
        for one in opened.values():
            await one.leave()

    play(story)


def test_hears_news_however_long_it_stays_open(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = get_channel_layer()
    # The layer forgets members of a group after a day: here after a second.
    monkeypatch.setattr(layer, "group_expiry", 1)
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "olga"))
    payment = a_payment(live_cast, an_open_deal(live_cast))

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        for _ in range(9):
            await opened.hear("heartbeat")
            await opened.say('{"type": "pong"}')
        await layer.group_send(
            payments_group(organization_id=real_commits.id),
            {"type": "payment.changed", "payment": str(payment.pk)},
        )
        assert await opened.hear("payment_changed")
        await opened.leave()

    play(story)


def test_hears_what_a_right_allows_that_came_while_it_was_open(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    person = people.make_person("Nora New")
    session = people.session_of(person)
    ticket = ticket_for(real_commits, live_cast, session)
    payment = a_payment(live_cast, an_open_deal(live_cast))
    relay_due()

    def promote() -> None:
        grant_membership(
            actor=people.machine(), user_id=person.pk, unit_id=root_unit().pk, role="verifier"
        )
        relay_due()

    def verify() -> None:
        verify_payment(actor=live_cast.actor("vera"), payment_id=payment.pk)
        relay_due()

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        assert await opened.hear("welcome")
        await beside(real_commits, promote)
        await asyncio.sleep(0.5)
        await beside(real_commits, verify)
        assert (await opened.hear("payment_changed"))["payment"]["id"] == str(payment.pk)
        await opened.leave()

    play(story)


def test_is_told_nothing_once_the_right_is_gone(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    monkeypatch.setattr(sockets, "MAXIMUM_WAITING", 0)
    person = people.make_person("Nora New", role="verifier")
    ticket = ticket_for(real_commits, live_cast, people.session_of(person))
    group = payments_group(organization_id=real_commits.id)
    payment = a_payment(live_cast, an_open_deal(live_cast))

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        assert await opened.hear("welcome")
        # Nobody tells the socket: it has to ask by itself, even before it says "read anew".
        await beside(
            real_commits, lambda: Membership.objects.filter(user=person).update(is_active=False)
        )
        for _ in range(2):
            await get_channel_layer().group_send(
                group, {"type": "payment.changed", "payment": str(payment.pk)}
            )
        await asyncio.sleep(0.4)
        assert await opened.hears_nothing()
        await opened.leave()

    play(story)


def test_says_read_anew_when_more_changed_than_it_remembers(
    real_commits: Any, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MAXIMUM_WAITING", 2)
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 60)
    ticket = ticket_for(real_commits, live_cast, session_of(live_cast, "vera"))
    deal = an_open_deal(live_cast)

    def storm() -> None:
        for _ in range(5):
            a_payment(live_cast, deal)
        relay_due()

    async def story() -> None:
        opened = socket(ticket)
        assert await opened.connect() is None
        await beside(real_commits, storm)
        assert await opened.hear("refresh")
        await opened.leave()

    play(story)


def test_no_call_of_a_socket_ever_lands_in_the_neighbour(
    real_commits: Any, live_cast: Cast
) -> None:
    """Two organizations share one pool of threads, two hundred calls each, all mixed."""
    neighbour = organization_by_subdomain("neighbour")
    payment = a_payment(live_cast, an_open_deal(live_cast))
    session = session_of(live_cast, "olga")
    seats = [_seat(real_commits, session)]
    with tenant_context(neighbour):
        others = assemble()
        theirs = a_payment(others, an_open_deal(others))
        seats.append(_seat(neighbour, session_of(others, "olga")))
    both = {payment.pk, theirs.pk}

    async def ask(seat: live.Seat) -> list[dict[str, str]] | None:
        return await sockets._in_database(
            live.visible_changes,
            seat=seat,
            host=HOSTS[seat.organization.schema_name],
            payment_ids=both,
        )

    answers: list[tuple[live.Seat, list[dict[str, str]] | None]] = []

    async def story() -> None:
        asked = [seat for _ in range(200) for seat in seats]
        random.shuffle(asked)
        answers.extend(zip(asked, await asyncio.gather(*map(ask, asked)), strict=True))

    play(story)
    own = {real_commits.id: str(payment.pk), neighbour.id: str(theirs.pk)}
    assert len(answers) == 400
    for seat, seen in answers:
        assert [row["id"] for row in seen or []] == [own[seat.organization.id]]
