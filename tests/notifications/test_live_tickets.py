"""One-use tickets for the live socket."""

from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from rest_framework.test import APIClient

from shared_apps.idempotency.models import IdempotencyKey
from tenant_apps.notifications import tickets
from tenant_apps.notifications.errors import TicketRefused
from tenant_apps.notifications.tickets import Ticket, issue_ticket, redeem_ticket
from tests.cast import Cast


def a_ticket(**values: Any) -> Ticket:
    return Ticket(
        **{"organization_id": uuid4(), "user_id": uuid4(), "session_id": uuid4(), **values}
    )


def test_the_api_says_where_the_socket_is(cast: Cast) -> None:
    answer = cast.api("olga").post("live-tickets/")
    assert answer.status_code == 201, answer.json()
    shown = answer.json()
    assert shown["address"].startswith("ws://acme.kontor.test")
    assert shown["address"].endswith("/live/")
    assert shown["expires_in"] == 30
    assert len(shown["ticket"]) >= 43


def test_a_ticket_is_bound_to_organization_user_and_session(cast: Cast, tenant: Any) -> None:
    secret = cast.api("olga").post("live-tickets/").json()["ticket"]
    ticket = redeem_ticket(secret=secret, organization_id=tenant.id)
    assert ticket.user_id == cast.user("olga").pk
    assert ticket.organization_id == tenant.id


def test_is_never_kept_as_the_answer_to_a_key(cast: Cast) -> None:
    olga, key = cast.api("olga"), str(uuid4())
    first, again = (olga.post("live-tickets/", key=key).json()["ticket"] for _ in range(2))
    assert first != again
    assert not IdempotencyKey.objects.exists()


def test_needs_somebody_signed_in(tenant: Any) -> None:
    answer = APIClient(HTTP_HOST="acme.kontor.test").post("/api/v1/live-tickets/")
    assert answer.status_code == 401


def test_takes_no_body(cast: Cast) -> None:
    assert cast.api("olga").post("live-tickets/", {"user": str(uuid4())}).status_code == 400


def test_works_once() -> None:
    ticket = a_ticket()
    secret = issue_ticket(ticket)
    assert redeem_ticket(secret=secret, organization_id=ticket.organization_id) == ticket
    with pytest.raises(TicketRefused):
        redeem_ticket(secret=secret, organization_id=ticket.organization_id)


def test_is_worth_nothing_in_another_organization_and_is_gone_then() -> None:
    ticket = a_ticket()
    secret = issue_ticket(ticket)
    with pytest.raises(TicketRefused):
        redeem_ticket(secret=secret, organization_id=uuid4())
    with pytest.raises(TicketRefused):
        redeem_ticket(secret=secret, organization_id=ticket.organization_id)


@pytest.mark.parametrize("secret", ["", "x", "../../", "\x00", "ä" * 50])
def test_what_was_never_issued_opens_nothing(secret: str) -> None:
    with pytest.raises(TicketRefused):
        redeem_ticket(secret=secret, organization_id=uuid4())


def test_runs_out_and_lies_there_only_as_a_hash() -> None:
    secret = issue_ticket(a_ticket())
    server = redis.Redis.from_url(settings.REDIS_URL)
    [key] = list(server.scan_iter(match=f"{tickets._key(secret)}*"))
    assert 0 < server.ttl(key) <= 30
    assert secret.encode() not in key + (server.get(key) or b"")


def test_says_try_again_later_when_redis_is_gone(cast: Cast) -> None:
    nobody = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.1)
    with patch.object(tickets, "server", return_value=nobody):
        answer = cast.api("olga").post("live-tickets/", key=None)
    assert (answer.status_code, answer.json()["code"]) == (503, "live_tickets_unavailable")
    assert int(answer["Retry-After"]) > 0
