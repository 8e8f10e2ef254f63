"""The credit of a sale goes back whole and once, by another person's word or the provider's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail
from shared_apps.kernel import clock
from shared_apps.kernel.errors import BadInput, Forbidden, PreconditionFailed
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.approvals.errors import MakerCannotSign, NotTheMaker
from tenant_apps.approvals.models import Approval
from tenant_apps.approvals.services import reject, sign
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.selectors import balance_of
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import consumers, errors, services
from tenant_apps.wallets.models import ChargeRefund, ChargeSale
from tenant_apps.wallets.providers import ChargeAnswer, Outcome
from tenant_apps.wallets.statements import history_of, signed
from tests.snapshots import changed, snapshot
from tests.wallets.stories import PHONE, Market, a_sale, credit, kes, sell


@pytest.fixture
def sold(market: Market, simulated: Any) -> ChargeSale:
    """Sita sold 30.00 of her 100.00."""
    simulated()
    credit(market, "100.00")
    return sell(market, "30.00")


def asked(market: Market, sale: ChargeSale, *, by: str = "wanda") -> ChargeRefund:
    with transaction.atomic():
        return services.request_charge_refund(
            actor=market.actor(by), sale_id=sale.pk, reason="The customer gave a wrong number."
        )


def approve(market: Market, refund: ChargeRefund, *, by: str = "wim") -> ChargeRefund:
    with transaction.atomic():
        return services.approve_charge_refund(
            actor=market.actor(by), refund_id=refund.pk, remark="Seen."
        )


def reversed_by_provider(market: Market, sale: ChargeSale) -> None:
    services.settle_sale(
        sale_id=sale.pk,
        answer=ChargeAnswer(outcome=Outcome.REVERSED, reason="taken back"),
        actor=market.system,
    )


def owed() -> str:
    return balance_of(account_code="2410", currency="KES").to_string()


def test_a_request_moves_nothing(market: Market, sold: ChargeSale) -> None:
    refund = asked(market, sold)
    assert (refund.state, refund.origin, refund.amount) == ("pending", "request", kes("30.00"))
    assert market.balance("sita") == "70.00"
    assert owed() == "30.00"


def test_approval_gives_the_whole_back(market: Market, sold: ChargeSale) -> None:
    refund = approve(market, asked(market, sold))
    assert (refund.state, refund.remark) == ("refunded", "Seen.")
    assert refund.decided_by_id == market.people["wim"].pk
    assert market.balance("sita") == "100.00"
    assert owed() == "0.00"
    sold.refresh_from_db()
    assert sold.state == "sold"
    assert sold.refunded_at is not None
    entry = AuditEntry.objects.get(event_name="wallets.charge_refunded")
    assert (entry.payload["amount_minor"], entry.payload["balance_minor"]) == (3000, 10000)
    (reversal,) = Transfer.objects.of_source(sold.pk).filter(kind="reversal")
    assert (reversal.amount, reversal.memo) == (kes("30.00"), refund.reference)
    assert verify().books_hold


def test_the_history_shows_it_with_the_balance(market: Market, sold: ChargeSale) -> None:
    refund = approve(market, asked(market, sold))
    newest, sale, deposit = history_of(market.wallet("sita"))
    assert (newest.entry_type, newest.memo, newest.number) == (
        "charge_refund",
        refund.reference,
        PHONE,
    )
    assert (signed(newest), newest.balance) == (kes("30.00"), kes("100.00"))
    assert newest.actor_id == market.people["wim"].pk
    assert [sale.entry_type, deposit.entry_type] == ["charge_sale", "deposit"]
    rows = market.api("sita").get(
        f"wallets/{market.wallets['sita'].pk}/history/?type=charge_refund"
    )
    (row,) = rows.json()["results"]
    assert row["balance"] == {"amount": "100.00", "currency": "KES"}


def test_the_days_limit_is_free_again(market: Market, sold: ChargeSale) -> None:
    assert market.wallet("sita").sold == kes("30.00")
    approve(market, asked(market, sold))
    assert market.wallet("sita").sold == kes("0.00")


def test_another_days_limit_stays_as_it_is(market: Market, sold: ChargeSale) -> None:
    with clock.frozen(clock.now() + timedelta(days=1)):
        sell(market, "10.00")
        approve(market, asked(market, sold))
        assert market.wallet("sita").sold == kes("10.00")
    assert market.balance("sita") == "90.00"


@pytest.mark.parametrize("by", ["wim", "wanda"])
def test_the_same_approval_twice_gives_it_once(market: Market, sold: ChargeSale, by: str) -> None:
    refund = approve(market, asked(market, sold))
    before = snapshot()
    with pytest.raises(errors.RefundAlreadyDecided):
        approve(market, refund, by=by)
    with pytest.raises(errors.RefundAlreadyDecided), transaction.atomic():
        services.deny_charge_refund(actor=market.actor(by), refund_id=refund.pk, reason="No.")
    assert changed(before) == []


def test_a_signature_in_the_list_of_approvals_does_the_same(
    market: Market, sold: ChargeSale
) -> None:
    refund = asked(market, sold)
    approval = Approval.objects.pending().get(subject_id=refund.pk)
    sign(approval_id=approval.pk, actor=market.actor("wim"))
    assert market.balance("sita") == "100.00"


def test_who_asked_never_decides(market: Market, sold: ChargeSale) -> None:
    refund = asked(market, sold)
    approval = Approval.objects.pending().get(subject_id=refund.pk)
    before = snapshot()
    with pytest.raises(errors.OwnRefund):
        approve(market, refund, by="wanda")
    with pytest.raises(MakerCannotSign), transaction.atomic():
        sign(approval_id=approval.pk, actor=market.actor("wanda"))
    assert changed(before) == []


def test_who_sold_never_decides(market: Market, simulated: Any) -> None:
    """A wallet admin who also sells does not give back what they sold."""
    from shared_apps.access.selectors import root_unit
    from shared_apps.access.services import place_member

    simulated()
    credit(market, "100.00")
    place_member(
        actor=market.system,
        user_id=market.people["sita"].pk,
        unit=root_unit(),
        role="wallet_admin",
    )
    refund = asked(market, sell(market, "30.00"))
    with pytest.raises(errors.OwnRefund):
        approve(market, refund, by="sita")
    assert market.balance("sita") == "70.00"


@pytest.mark.parametrize("by", ["sita", "ada", "olga"])
def test_who_keeps_no_wallets_asks_for_none(market: Market, sold: ChargeSale, by: str) -> None:
    with pytest.raises((Forbidden, BadInput)):
        asked(market, sold, by=by)
    assert not ChargeRefund.objects.exists()


def test_one_sale_has_one_request_at_a_time(market: Market, sold: ChargeSale) -> None:
    asked(market, sold)
    with pytest.raises(errors.RefundAlreadyRequested):
        asked(market, sold, by="wim")
    assert ChargeRefund.objects.count() == 1


def test_what_is_refunded_is_not_asked_for_again(market: Market, sold: ChargeSale) -> None:
    approve(market, asked(market, sold))
    with pytest.raises(errors.AlreadyRefunded):
        asked(market, sold)


@pytest.mark.parametrize("outcome", [None, Outcome.REFUSED])
def test_only_what_is_sold_is_refunded(
    market: Market, simulated: Any, outcome: Outcome | None
) -> None:
    simulated()
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    if outcome is not None:
        services.settle_sale(
            sale_id=sale.pk, answer=ChargeAnswer(outcome=outcome), actor=market.system
        )
    with pytest.raises(errors.SaleNotSold):
        asked(market, sale)


def test_denied_it_may_be_asked_for_again(market: Market, sold: ChargeSale) -> None:
    refund = asked(market, sold)
    services.deny_charge_refund(actor=market.actor("wim"), refund_id=refund.pk, reason="Why?")
    refund.refresh_from_db()
    assert (refund.state, refund.remark) == ("denied", "Why?")
    assert market.balance("sita") == "70.00"
    approve(market, asked(market, sold))
    assert market.balance("sita") == "100.00"


def test_the_list_of_approvals_denies_too(market: Market, sold: ChargeSale) -> None:
    refund = asked(market, sold)
    approval = Approval.objects.pending().get(subject_id=refund.pk)
    reject(approval_id=approval.pk, actor=market.actor("wim"), remark="No.")
    refund.refresh_from_db()
    assert refund.state == "denied"


def test_its_maker_withdraws_it_and_nobody_else(market: Market, sold: ChargeSale) -> None:
    refund = asked(market, sold)
    with pytest.raises(NotTheMaker), transaction.atomic():
        services.withdraw_charge_refund(actor=market.actor("wim"), refund_id=refund.pk)
    services.withdraw_charge_refund(actor=market.actor("wanda"), refund_id=refund.pk)
    refund.refresh_from_db()
    assert refund.state == "withdrawn"
    assert not Approval.objects.pending().exists()


def test_a_stale_version_is_refused(market: Market, sold: ChargeSale) -> None:
    refund = asked(market, sold)
    with pytest.raises(PreconditionFailed), transaction.atomic():
        services.approve_charge_refund(
            actor=market.actor("wim"), refund_id=refund.pk, expected_version=9
        )


def test_a_suspended_seller_gets_its_credit_back(market: Market, sold: ChargeSale) -> None:
    services.suspend_seller(actor=market.actor("wanda"), seller_id=market.sellers["sita"].pk)
    approve(market, asked(market, sold))
    assert market.balance("sita") == "100.00"


# The provider's word


def test_what_the_provider_reversed_is_refunded(market: Market, sold: ChargeSale) -> None:
    reversed_by_provider(market, sold)
    refund = ChargeRefund.objects.get()
    assert (refund.state, refund.origin, refund.reason) == ("refunded", "provider", "taken back")
    assert market.balance("sita") == "100.00"
    assert market.wallet("sita").sold == kes("0.00")
    before = snapshot()
    for _ in range(2):
        reversed_by_provider(market, sold)
    assert changed(before) == []
    assert verify().books_hold


def test_a_request_that_waits_is_superseded(market: Market, sold: ChargeSale) -> None:
    refund = asked(market, sold)
    reversed_by_provider(market, sold)
    refund.refresh_from_db()
    assert refund.state == "superseded"
    assert not Approval.objects.pending().exists()
    with pytest.raises(errors.RefundAlreadyDecided):
        approve(market, refund)
    assert market.balance("sita") == "100.00"


def test_after_an_approved_one_the_provider_changes_nothing(
    market: Market, sold: ChargeSale
) -> None:
    approve(market, asked(market, sold))
    before = snapshot()
    reversed_by_provider(market, sold)
    assert changed(before) == []


@pytest.mark.parametrize("state", ["held", "sent", "unknown"])
def test_what_was_reversed_before_we_knew_fails(market: Market, simulated: Any, state: str) -> None:
    simulated()
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    if state != "held":
        ChargeSale.objects.filter(pk=sale.pk).update(state=state, sent_at=clock.now())
    reversed_by_provider(market, sale)
    sale.refresh_from_db()
    assert (sale.state, sale.refunded_at) == ("failed", None)
    assert market.wallet("sita").available == kes("100.00")
    assert not ChargeRefund.objects.exists()


def test_a_failed_sale_gives_nothing_back(market: Market, simulated: Any) -> None:
    simulated(refused=100)
    credit(market, "100.00")
    sale = sell(market, "30.00")
    before = snapshot()
    reversed_by_provider(market, sale)
    assert changed(before) == []


# Over HTTP, and who hears of it


def test_over_http(market: Market, sold: ChargeSale) -> None:
    body = {"sale": str(sold.pk), "reason": "Wrong number."}
    wanda, wim = market.api("wanda"), market.api("wim")
    assert wanda.post("charge-refunds/", body, key=None).json()["code"] == (
        "idempotency_key_required"
    )
    made = wanda.post("charge-refunds/", body, key="one")
    assert made.status_code == 201
    assert wanda.post("charge-refunds/", body, key="one").json() == made.json()
    refund = made.json()
    assert wanda.post(f"charge-refunds/{refund['id']}/approval/", {}).status_code == 403
    dry = wim.post(f"charge-refunds/{refund['id']}/approval/?dry_run=true", {})
    assert dry.json()["state"] == "refunded"
    assert market.balance("sita") == "70.00"
    done = wim.post(f"charge-refunds/{refund['id']}/approval/", {})
    assert (done.status_code, done.json()["state"]) == (201, "refunded")
    assert market.api("sita").get(f"charge-refunds/{refund['id']}/").json() == done.json()
    assert market.api("sita").get(f"charge-sales/{sold.pk}/").json()["refunded_at"] is not None
    assert market.api("seth").get(f"charge-refunds/{refund['id']}/").status_code == 404
    assert market.balance("sita") == "100.00"


def test_who_hears_of_it(market: Market, sold: ChargeSale) -> None:
    refund = asked(market, sold)
    services.deny_charge_refund(actor=market.actor("wim"), refund_id=refund.pk, reason="Why?")
    approve(market, asked(market, sold))
    for message in OutboxMessage.objects.order_by("created_at"):
        if message.event_name == "wallets.charge_refund_denied":
            consumers.mail_charge_refund_denied(message)
        elif message.event_name == "wallets.charge_refunded":
            consumers.mail_charge_refunded(message)
    denied, back = Mail.objects.filter(template__startswith="charge_refund").order_by("created_at")
    assert (denied.to, back.to) == (
        market.people["wanda"].email,
        market.people["sita"].email,
    )
    assert sold.reference in back.subject
