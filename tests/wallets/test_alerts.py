"""Credit that runs low is told once, and again after it rose; approvals and denials are mailed."""

from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.wallets import consumers, services
from tests.wallets.stories import Market, a_deposit, allow_transfers, credit, kes, transfer


def told() -> int:
    return AuditEntry.objects.filter(event_name="wallets.wallet_ran_low").count()


def watch(market: Market, threshold: str) -> None:
    services.change_wallet(
        actor=market.actor("wanda"),
        wallet_id=market.wallets["sita"].pk,
        changes={"low_balance": kes(threshold)},
    )


def test_is_told_once_for_each_crossing(market: Market) -> None:
    allow_transfers(market)
    credit(market, "100.00")
    watch(market, "50.00")
    assert told() == 0
    transfer(market, "50.00")
    assert told() == 0
    transfer(market, "0.01")
    transfer(market, "10.00")
    assert told() == 1
    credit(market, "100.00")
    assert market.wallet("sita").low_since is None
    transfer(market, "100.00")
    assert told() == 2


def test_a_threshold_above_the_credit_is_told_at_once(market: Market) -> None:
    watch(market, "50.00")
    assert told() == 1
    watch(market, "60.00")
    assert told() == 1


def test_mails_go_to_the_seller(market: Market) -> None:
    watch(market, "50.00")
    credit(market, "10.00")
    denied = a_deposit(market, "20.00")
    services.deny_deposit(
        actor=market.actor("wanda"), deposit_id=denied.pk, reason="Not on the account."
    )
    for name, handler in (
        ("wallets.wallet_ran_low", consumers.mail_low_credit),
        ("wallets.deposit_approved", consumers.mail_deposit_approved),
        ("wallets.deposit_denied", consumers.mail_deposit_denied),
    ):
        handler(OutboxMessage.objects.get(event_name=name))
    mails = {mail.template: mail for mail in Mail.objects.filter(to="sita@acme.example")}
    assert set(mails) == {"low_credit", "deposit_approved", "deposit_denied"}
    assert "Credit now: KES 10.00" in mails["deposit_approved"].text
    assert "Not on the account." in mails["deposit_denied"].text
