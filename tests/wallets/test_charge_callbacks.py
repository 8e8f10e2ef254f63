"""What a provider says by itself: signed, heard once, and harmless in whatever order it comes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from scripts.simulated_provider import Callback, new_secret
from shared_apps.kernel import clock
from shared_apps.kernel.api.throttling import RateLimit
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import services
from tenant_apps.wallets.api.callback_views import CallbackLimit
from tenant_apps.wallets.models import ChargeRefund, ChargeSale, ProviderCallback
from tenant_apps.wallets.providers import ChargeAnswer, Outcome
from tenants.connections import connection
from tenants.context import current_organization, organization_id
from tests.snapshots import changed, snapshot
from tests.wallets.stories import Market, a_sale, credit
from tests.wallets.test_settle_when_stopped import stop_books

PATH = "/api/v1/charge-callbacks/"
SECRET = new_secret()


@pytest.fixture
def unknown(market: Market, settings: Any) -> ChargeSale:
    """A sale that was sent, of which nobody knows what became."""
    settings.CHARGE_CALLBACK_SECRETS = (SECRET,)
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    now = clock.now()
    ChargeSale.objects.filter(pk=sale.pk).update(
        state="unknown", sent_at=now, next_ask_at=now + timedelta(seconds=60)
    )
    sale.refresh_from_db()
    return sale


def about(sale: ChargeSale, outcome: str = "delivered", **more: Any) -> Callback:
    said = {
        "organization": str(organization_id()),
        "reference": str(sale.charge_reference),
        "outcome": outcome,
        "provider_reference": "P-1",
        **more,
    }
    return Callback(url="", body=json.dumps(said).encode())


def sent(
    message: Callback,
    *,
    secret: str = SECRET,
    host: str = "acme.kontor.test",
    at: datetime | None = None,
    body: bytes | None = None,
    **headers: str,
) -> Any:
    signed = {**message.headers(secret, at=at), **headers}
    names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed.items()}
    names.pop("HTTP_CONTENT_TYPE")
    client = Client(HTTP_HOST=host, raise_request_exception=False)
    organization = current_organization()
    try:
        return client.post(
            PATH, message.body if body is None else body, content_type="application/json", **names
        )
    finally:
        connection.set_tenant(organization)


def state(sale: ChargeSale) -> str:
    return ChargeSale.objects.get(pk=sale.pk).state


def test_a_late_answer_settles_the_sale(market: Market, unknown: ChargeSale) -> None:
    assert sent(about(unknown)).status_code == 204
    unknown.refresh_from_db()
    assert (unknown.state, unknown.provider_reference) == ("sold", "P-1")
    assert market.balance("sita") == "70.00"
    assert verify().books_hold


def test_a_late_refusal_frees_the_credit(market: Market, unknown: ChargeSale) -> None:
    assert sent(about(unknown, "refused", reason="no such number")).status_code == 204
    unknown.refresh_from_db()
    assert (unknown.state, unknown.reason) == ("failed", "no such number")
    assert market.wallet("sita").available.to_string() == "100.00"


def test_what_the_provider_reversed_is_refunded_once(market: Market, unknown: ChargeSale) -> None:
    sent(about(unknown))
    message = about(unknown, "reversed", reason="taken back")
    for each in (message, message, about(unknown, "reversed"), about(unknown, "delivered")):
        assert sent(each).status_code == 204
    unknown.refresh_from_db()
    assert (unknown.state, unknown.refunded_at is not None) == ("sold", True)
    assert market.balance("sita") == "100.00"
    assert ChargeRefund.objects.count() == 1
    assert verify().books_hold


def test_reversed_before_delivered_is_no_sale(market: Market, unknown: ChargeSale) -> None:
    """In the wrong order: the last word is the same, and nothing is owed."""
    sent(about(unknown, "reversed"))
    sent(about(unknown, "delivered"))
    assert state(unknown) == "failed"
    assert market.wallet("sita").available.to_string() == "100.00"


def test_the_same_message_again_changes_nothing(market: Market, unknown: ChargeSale) -> None:
    message = about(unknown)
    sent(message)
    before = snapshot()
    for _ in range(3):
        assert sent(message).status_code == 204
    assert changed(before) == []


@pytest.mark.parametrize("first", ["delivered", "refused"])
@pytest.mark.parametrize("then", ["delivered", "refused"])
def test_the_first_final_word_holds(
    market: Market, unknown: ChargeSale, first: str, then: str
) -> None:
    sent(about(unknown, first))
    before = state(unknown), market.balance("sita"), market.wallet("sita").available
    assert sent(about(unknown, then)).status_code == 204
    assert (state(unknown), market.balance("sita"), market.wallet("sita").available) == before
    assert ProviderCallback.objects.count() == 2


def test_it_may_come_before_the_answer(market: Market, unknown: ChargeSale) -> None:
    ChargeSale.objects.filter(pk=unknown.pk).update(state="sent")
    sent(about(unknown))
    for outcome in (Outcome.PENDING, Outcome.DELIVERED):
        services.settle_sale(
            sale_id=unknown.pk, answer=ChargeAnswer(outcome=outcome), actor=market.system
        )
    assert state(unknown) == "sold"
    assert market.balance("sita") == "70.00"


def test_another_message_under_the_same_id_is_refused(market: Market, unknown: ChargeSale) -> None:
    message = about(unknown)
    sent(message)
    other = Callback(url="", id=message.id, body=about(unknown, "refused").body)
    answer = sent(other)
    assert (answer.status_code, answer.json()["code"]) == (409, "callback_id_reused")


def test_old_and_new_secret_both_hold_during_a_change(
    market: Market, unknown: ChargeSale, settings: Any
) -> None:
    settings.CHARGE_CALLBACK_SECRETS = (new_secret(), SECRET)
    assert sent(about(unknown)).status_code == 204
    assert state(unknown) == "sold"


@pytest.mark.parametrize(
    "what",
    [
        {"secret": new_secret()},
        {"at": datetime.now(UTC) - timedelta(minutes=6)},
        {"at": datetime.now(UTC) + timedelta(minutes=60)},
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-id": "x" * 129},
        {"webhook-timestamp": "now"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": "v1,\u00e9"},
        {"body": b""},
        {"body": b"{}"},
        {"body": b"\xff\xfe"},
        {"body": b"x" * 20_000},
    ],
)
def test_what_is_not_signed_changes_nothing(
    market: Market, unknown: ChargeSale, what: dict[str, Any]
) -> None:
    before = snapshot()
    answer = sent(about(unknown), **what)
    assert answer.status_code in (401, 413)
    if answer.status_code == 401:
        assert answer.json()["code"] == "callback_not_signed"
    assert changed(before) == []


def test_a_changed_body_is_not_what_was_signed(market: Market, unknown: ChargeSale) -> None:
    message = about(unknown, "refused")
    body = message.body.replace(b"refused", b"delivered")
    assert sent(message, body=body).status_code == 401
    assert state(unknown) == "unknown"


def test_without_a_secret_nobody_is_heard(
    market: Market, unknown: ChargeSale, settings: Any
) -> None:
    settings.CHARGE_CALLBACK_SECRETS = ()
    assert sent(about(unknown)).status_code == 401


def test_another_organizations_message_is_refused(
    market: Market, unknown: ChargeSale, neighbour: Any
) -> None:
    before = snapshot()
    answer = sent(about(unknown, organization=str(neighbour.id)))
    assert answer.json()["code"] == "callback_for_another_organization"
    assert answer.status_code == 403
    assert changed(before) == []


def test_at_another_organizations_host_it_finds_no_sale(
    market: Market, unknown: ChargeSale, neighbour: Any
) -> None:
    """Sent there as it is, and made out to that organization: neither touches ours."""
    host = "neighbour.kontor.test"
    assert sent(about(unknown), host=host).status_code == 403
    assert sent(about(unknown, organization=str(neighbour.id)), host=host).status_code == 404
    assert state(unknown) == "unknown"


def test_a_secret_of_one_organization_signs_for_no_other(
    market: Market, unknown: ChargeSale, neighbour: Any, settings: Any
) -> None:
    theirs = new_secret()
    settings.CHARGE_ACCOUNTS = {
        str(neighbour.id): {"url": "", "key": "", "callback_secrets": (theirs,)}
    }
    assert sent(about(unknown), secret=theirs).status_code == 401
    assert sent(about(unknown)).status_code == 204


def test_a_sale_that_nobody_knows_is_not_found(market: Market, unknown: ChargeSale) -> None:
    assert sent(about(unknown, reference=str(uuid4()))).status_code == 404


@pytest.mark.parametrize(
    "values",
    [
        {"outcome": "pending"},
        {"outcome": "unheard"},
        {"outcome": None},
        {"reference": "CHG-0001"},
        {"reason": "x" * 201},
        {"reason": "a\u0000"},
        {"provider_reference": "x" * 65},
        {"provider_reference": 5},
        {"fee": "0.10"},
        {"organization": ""},
    ],
)
def test_a_message_of_another_form_is_refused(
    market: Market, unknown: ChargeSale, values: dict[str, Any]
) -> None:
    before = snapshot()
    assert sent(about(unknown, **values)).status_code == 400
    assert changed(before) == []


def test_while_the_books_are_stopped_the_provider_is_told_to_come_again(
    market: Market, unknown: ChargeSale
) -> None:
    stop_books()
    message = about(unknown)
    assert sent(message).status_code >= 400
    assert state(unknown) == "unknown"
    assert not ProviderCallback.objects.exists()


def test_strangers_are_counted(market: Market, unknown: ChargeSale, settings: Any) -> None:
    assert issubclass(CallbackLimit, RateLimit)
    settings.API_RATE_LIMITS = {"charge_callbacks": "2/minute"}
    found = [sent(about(unknown), secret=new_secret()).status_code for _ in range(3)]
    assert found[-1] == 429


def test_the_message_is_kept(market: Market, unknown: ChargeSale) -> None:
    sent(about(unknown))
    (kept,) = ProviderCallback.objects.all()
    found = (kept.sale_id, kept.outcome, kept.provider_reference)
    assert found == (unknown.pk, "delivered", "P-1")
