"""Asking for credit, approving and denying it."""

from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import BadInput, Forbidden, NotFound
from tenant_apps.approvals.errors import MakerCannotSign
from tenant_apps.approvals.models import Approval
from tenant_apps.approvals.services import sign
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.selectors import balance_of
from tenant_apps.wallets import errors, services
from tenant_apps.wallets.models import DepositRequest
from tests.snapshots import changed, snapshot
from tests.wallets.stories import Market, a_deposit, credit, kes


def test_a_request_moves_nothing(market: Market) -> None:
    deposit = a_deposit(market)
    assert deposit.state == "pending"
    assert market.balance("sita") == "0.00"
    assert Transfer.objects.of_source(deposit.pk).count() == 0


@pytest.mark.parametrize(
    ("method", "account"),
    [("cash", "1000"), ("bank_transfer", "1010"), ("cheque", "1020"), ("mobile_money", "1030")],
)
def test_approval_raises_the_balance(market: Market, method: str, account: str) -> None:
    deposit = a_deposit(market, "1000.00", method=method)
    services.approve_deposit(actor=market.actor("wanda"), deposit_id=deposit.pk, remark="Seen.")
    assert market.balance("sita") == "1000.00"
    assert balance_of(account_code=account, currency="KES").to_string() == "1000.00"
    deposit = DepositRequest.objects.get(pk=deposit.pk)
    assert (deposit.state, deposit.reason) == ("approved", "Seen.")
    assert deposit.decided_by_id == market.people["wanda"].pk
    entry = AuditEntry.objects.get(event_name="wallets.deposit_approved")
    assert (entry.payload["amount_minor"], entry.payload["balance_minor"]) == (100_000, 100_000)
    assert entry.actor_user_id == market.people["wanda"].pk


def test_the_same_approval_twice_raises_it_once(market: Market) -> None:
    deposit = credit(market, "1000.00")
    before = snapshot()
    for name in ("wanda", "wim"):
        with pytest.raises(errors.DepositAlreadyDecided):
            services.approve_deposit(actor=market.actor(name), deposit_id=deposit.pk)
    with pytest.raises(errors.DepositAlreadyDecided):
        services.deny_deposit(actor=market.actor("wim"), deposit_id=deposit.pk, reason="No.")
    assert changed(before) == []
    assert market.balance("sita") == "1000.00"


def test_a_signature_in_the_list_of_approvals_does_the_same(market: Market) -> None:
    deposit = a_deposit(market, "70.00")
    approval = Approval.objects.pending().get(subject_id=deposit.pk)
    sign(approval_id=approval.pk, actor=market.actor("wim"))
    assert market.balance("sita") == "70.00"


def test_who_asked_never_decides(market: Market) -> None:
    deposit = a_deposit(market, by="wanda", of="sita")
    before = snapshot()
    with pytest.raises(errors.OwnDeposit):
        services.approve_deposit(actor=market.actor("wanda"), deposit_id=deposit.pk)
    approval = Approval.objects.pending().get(subject_id=deposit.pk)
    with pytest.raises(MakerCannotSign):
        sign(approval_id=approval.pk, actor=market.actor("wanda"))
    with pytest.raises(errors.OwnDeposit):
        services.deny_deposit(actor=market.actor("wanda"), deposit_id=deposit.pk, reason="No.")
    assert changed(before) == []
    services.approve_deposit(actor=market.actor("wim"), deposit_id=deposit.pk)


def test_a_wallet_admin_who_sells_does_not_raise_own_credit(market: Market) -> None:
    seller = services.add_seller(
        actor=market.system,
        seller=services.NewSeller(name="Kiosk Wim", user_id=market.people["wim"].pk),
    )
    wallet = services.open_wallet(actor=market.system, seller_id=seller.pk, currency="KES")
    deposit = a_deposit(market, by="wanda", wallet_id=wallet.pk)
    with pytest.raises(errors.OwnDeposit):
        services.approve_deposit(actor=market.actor("wim"), deposit_id=deposit.pk)


@pytest.mark.parametrize("name", ["sita", "seth", "olga", "ada"])
def test_only_wallet_admins_decide(market: Market, name: str) -> None:
    deposit = a_deposit(market)
    before = snapshot()
    with pytest.raises((Forbidden, NotFound)):
        services.approve_deposit(actor=market.actor(name), deposit_id=deposit.pk)
    assert changed(before) == []


def test_denial_says_why_and_books_nothing(market: Market) -> None:
    deposit = a_deposit(market)
    denied = services.deny_deposit(
        actor=market.actor("wanda"), deposit_id=deposit.pk, reason="Not on the account."
    )
    assert (denied.state, denied.reason) == ("denied", "Not on the account.")
    assert market.balance("sita") == "0.00"
    with pytest.raises(errors.DepositAlreadyDecided):
        services.approve_deposit(actor=market.actor("wim"), deposit_id=deposit.pk)


def test_a_seller_takes_a_request_back(market: Market) -> None:
    deposit = a_deposit(market)
    with pytest.raises(NotFound):
        services.withdraw_deposit(actor=market.actor("seth"), deposit_id=deposit.pk)
    taken_back = services.withdraw_deposit(actor=market.actor("sita"), deposit_id=deposit.pk)
    assert taken_back.state == "withdrawn"
    with pytest.raises(errors.DepositAlreadyDecided):
        services.approve_deposit(actor=market.actor("wanda"), deposit_id=deposit.pk)


def test_nobody_asks_for_another_sellers_wallet(market: Market) -> None:
    with pytest.raises(BadInput):
        a_deposit(market, by="seth", of="sita")


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"amount": kes("0.00")}, BadInput),
        ({"amount": kes("-1.00")}, BadInput),
        ({"amount": kes("10000000000000.01")}, errors.CreditAmountTooLarge),
        ({"method": "gold"}, BadInput),
        ({"paid_on": date(2199, 1, 1)}, errors.DepositInFuture),
        ({"paid_on": date(1899, 1, 1)}, BadInput),
    ],
)
def test_refuses_what_cannot_be(market: Market, values: Any, error: type[Exception]) -> None:
    before = snapshot()
    with pytest.raises(error):
        a_deposit(market, **values)
    assert changed(before) == []


def test_a_proof_voids_the_signature_asked_for_before(market: Market) -> None:
    deposit = a_deposit(market)
    first = Approval.objects.pending().get(subject_id=deposit.pk)
    picture = BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "PNG")
    file = SimpleUploadedFile("slip.png", picture.getvalue(), content_type="image/png")
    services.attach_deposit_proof(actor=market.actor("sita"), deposit_id=deposit.pk, file=file)
    first.refresh_from_db()
    assert first.state == "voided"
    services.approve_deposit(actor=market.actor("wanda"), deposit_id=deposit.pk)
    assert market.balance("sita") == "1000.00"


class TestOverHttp:
    BODY: dict[str, Any] = {
        "method": "cash",
        "amount": {"amount": "12.50", "currency": "KES"},
        "paid_on": "2026-03-10",
    }

    def test_the_whole_story(self, market: Market) -> None:
        body = {**self.BODY, "wallet": str(market.wallets["sita"].pk)}
        asked = market.api("sita").post("deposit-requests/", body)
        assert asked.status_code == 201, asked.json()
        path = f"deposit-requests/{asked.json()['id']}/approval/"
        wanda = market.api("wanda")
        approved = wanda.post(path, {}, key="one-key")
        assert (approved.status_code, approved.json()["state"]) == (201, "approved")
        again = wanda.post(path, {}, key="one-key")
        assert (again.json(), again["Idempotency-Replayed"]) == (approved.json(), "true")
        assert market.balance("sita") == "12.50"

    def test_a_dry_run_changes_nothing(self, market: Market) -> None:
        deposit, wanda = a_deposit(market), market.api("wanda")
        before = snapshot()
        path = f"deposit-requests/{deposit.pk}/approval/?dry_run=true"
        shown = wanda.post(path, {})
        assert shown.json()["state"] == "approved"
        assert changed(before) == []

    def test_money_demands_a_key(self, market: Market) -> None:
        body = {**self.BODY, "wallet": str(market.wallets["sita"].pk)}
        refused = market.api("sita").post("deposit-requests/", body, key=None)
        assert refused.json()["code"] == "idempotency_key_required"
        assert DepositRequest.objects.count() == 0
