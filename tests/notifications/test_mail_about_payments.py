"""Mails to the salesperson, written by consumers of the outbox."""

from datetime import date

from shared_apps.delivery.models import Mail
from shared_apps.outbox.models import OutboxMessage
from shared_apps.outbox.relay import relay_due
from tenant_apps.payments.services import record_payments, reject_payment, verify_payment
from tests.cast import Cast
from tests.payments.stories import (
    a_payment,
    a_verified_payment,
    a_won_deal,
    an_open_deal,
    kes,
    new_payment,
)


def mails() -> list[Mail]:
    relay_due()
    assert not OutboxMessage.objects.exclude(last_error="").exists()
    return list(Mail.objects.filter(template__startswith="payment_"))


def test_tells_that_a_payment_is_verified(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
    payment = a_verified_payment(cast, deal, kes("10.00"))
    [mail] = mails()
    assert mail.to == "olga@acme.test"
    assert mail.subject == f"{payment.reference} is verified: KES 10.00"
    assert deal.reference in mail.text
    assert "Not used" not in mail.text


def test_says_what_was_not_used(cast: Cast) -> None:
    a_verified_payment(cast, an_open_deal(cast), kes("10.00"))
    [mail] = mails()
    assert "Not used for an invoice: KES 10.00" in mail.text


def test_tells_why_a_payment_was_rejected(cast: Cast) -> None:
    payment = a_payment(cast, an_open_deal(cast))
    reject_payment(actor=cast.actor("vera"), payment_id=payment.pk, remarks="not on the statement")
    [mail] = mails()
    assert "was rejected" in mail.subject
    assert "not on the statement" in mail.text


def test_is_sent_once_however_often_the_relay_runs(cast: Cast) -> None:
    a_verified_payment(cast, an_open_deal(cast))
    assert len(mails()) == len(mails()) == 1


def test_writes_to_nobody_who_has_left(cast: Cast) -> None:
    a_verified_payment(cast, an_open_deal(cast))
    olga = cast.user("olga")
    olga.is_active = False
    olga.save()
    assert mails() == []


def test_a_quiet_actor_tells_nobody(cast: Cast) -> None:
    deal = a_won_deal(cast, closed_on=date(2026, 3, 1))
    payment = record_payments(
        actor=cast.system.quietly(),
        payments=[new_payment(deal, recorded_by=cast.user("olga").pk)],
    )[0]
    verify_payment(actor=cast.actor("vera").quietly(), payment_id=payment.pk)
    quiet = OutboxMessage.objects.filter(event_name__startswith="payments.")
    assert quiet.exists()
    assert all(quiet.values_list("quiet", flat=True))
    assert mails() == []
