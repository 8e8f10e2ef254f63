"""Recording payments ..."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import BadInput, Forbidden
from shared_apps.kernel.money import Money
from tenant_apps.approvals.models import Approval
from tenant_apps.deals.services import StageMove, change_stages
from tenant_apps.ledger.models import Transfer
from tenant_apps.payments import errors
from tenant_apps.payments.models import Payment, PaymentInvoice
from tenant_apps.payments.services import record_payments
from tests.cast import Cast
from tests.payments.stories import a_payment, an_open_deal, kes, new_payment


def test_gives_references_from_the_sequence_in_the_given_order(cast: Cast) -> None:
    deal = an_open_deal(cast)
    payments = record_payments(
        actor=cast.actor("olga"), payments=[new_payment(deal, kes(f"{n}.00")) for n in (1, 2, 3)]
    )
    first = int(payments[0].reference.removeprefix("TXN-"))
    assert [row.reference for row in payments] == [f"TXN-{first + n:04d}" for n in range(3)]
    assert [row.amount for row in payments] == [kes("1.00"), kes("2.00"), kes("3.00")]


def test_makes_a_pending_payment_invoice_that_posts_nothing(cast: Cast) -> None:
    payment = a_payment(cast, an_open_deal(cast))
    invoice = PaymentInvoice.objects.get(payment=payment)
    assert invoice.state == "pending"
    assert invoice.reference == payment.reference.replace("TXN", "PIN")
    assert not Transfer.objects.filter(source_id=payment.pk).exists()


def test_asks_for_a_verifiers_signature(cast: Cast) -> None:
    payment = a_payment(cast, an_open_deal(cast))
    approval = Approval.objects.get(subject_id=payment.pk)
    assert (approval.state, approval.maker_id) == ("pending", cast.user("olga").pk)


def test_is_audited_and_keeps_its_field_history(cast: Cast) -> None:
    payment = a_payment(cast, an_open_deal(cast), external_reference="QX12")
    entry = AuditEntry.objects.get(event_name="payments.payment_recorded")
    assert (entry.subject_id, entry.actor_user_id) == (payment.pk, cast.user("olga").pk)
    told = LogEntry.objects.get(object_pk=str(payment.pk), action=LogEntry.Action.CREATE)
    assert told.changes["amount_minor"][1] == 125000
    assert told.changes["external_reference"][1] == "***"


def test_lets_a_team_lead_record_on_the_teams_deals(cast: Cast) -> None:
    payment = a_payment(cast, an_open_deal(cast), by="lea")
    assert payment.created_by_id == cast.user("lea").pk


@pytest.mark.parametrize("name", ["oscar", "paul"])
def test_does_not_know_a_deal_that_the_actor_does_not_see(cast: Cast, name: str) -> None:
    deal = an_open_deal(cast)
    with pytest.raises(BadInput, match="no such deal"):
        a_payment(cast, deal, by=name)
    assert not Payment.objects.exists()


@pytest.mark.parametrize("name", ["vera", "sam", "ada"])
def test_is_refused_to_those_who_only_see_the_deal(cast: Cast, name: str) -> None:
    deal = an_open_deal(cast)
    with pytest.raises(Forbidden):
        a_payment(cast, deal, by=name)
    assert not Payment.objects.exists()


def test_refuses_to_record_in_the_name_of_another(cast: Cast) -> None:
    deal = an_open_deal(cast)
    with pytest.raises(Forbidden, match="in the name of another"):
        a_payment(cast, deal, recorded_by=cast.user("paul").pk)


def test_lets_the_system_name_who_recorded_each(cast: Cast) -> None:
    deal = an_open_deal(cast)
    olga, lea = cast.user("olga").pk, cast.user("lea").pk
    payments = record_payments(
        actor=cast.system,
        payments=[new_payment(deal, recorded_by=olga), new_payment(deal, recorded_by=lea)],
    )
    makers = dict(Approval.objects.values_list("subject_id", "maker_id"))
    assert [makers[row.pk] for row in payments] == [olga, lea]


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"amount": kes("0.00")}, BadInput),
        ({"amount": kes("-5.00")}, BadInput),
        ({"amount": Money(500, "USD")}, errors.CurrencyDiffers),
        ({"amount": Money(10**15 + 1, "KES")}, errors.PaymentTooLarge),
        ({"paid_on": date(2126, 1, 1)}, errors.PaidInFuture),
        ({"paid_on": date(1899, 12, 31)}, BadInput),
        ({"method": "barter"}, BadInput),
        ({"deal_id": uuid4()}, BadInput),
    ],
)
def test_refuses_the_whole_batch_for_one_wrong_row(
    cast: Cast, values: dict[str, Any], error: type[Exception]
) -> None:
    deal = an_open_deal(cast)
    wrong = new_payment(deal, **values)
    with pytest.raises(error):
        record_payments(actor=cast.actor("olga"), payments=[new_payment(deal), wrong])
    assert not Payment.objects.exists()
    assert not Approval.objects.exists()


def test_refuses_a_deal_without_a_client(cast: Cast) -> None:
    from tests.deals.stories import a_deal

    with pytest.raises(errors.PayerMissing):
        a_payment(cast, a_deal(cast))


def test_refuses_a_lost_deal(cast: Cast) -> None:
    deal = an_open_deal(cast)
    change_stages(actor=cast.actor("olga"), moves=[StageMove(deal_id=deal.pk, to_stage="lost")])
    with pytest.raises(errors.DealLost):
        a_payment(cast, deal)


def test_costs_the_same_statements_for_one_and_for_fifty(cast: Cast) -> None:
    deals = [an_open_deal(cast) for _ in range(3)]
    counts = []
    for size in (1, 50):
        payments = [new_payment(deals[n % 3], kes(f"{n + 1}.00")) for n in range(size)]
        with CaptureQueriesContext(connection) as captured:
            record_payments(actor=cast.actor("olga"), payments=payments)
        counts.append(len(captured))
    assert counts[0] == counts[1]
