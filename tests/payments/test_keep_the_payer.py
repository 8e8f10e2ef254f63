"""A deal keeps its client while payments of that client stand on it."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from shared_apps.audit.models import AuditEntry
from tenant_apps.approvals.models import Approval
from tenant_apps.deals.models import Deal
from tenant_apps.deals.services import DealWin, StageMove, change_deal, change_stages, win_deals
from tenant_apps.invoices.models import Invoice
from tenant_apps.parties.models import Party
from tenant_apps.payments import errors
from tenant_apps.payments.models import Payment, PaymentState
from tenant_apps.payments.services import (
    record_payments,
    reject_payment,
    verify_payment,
    withdraw_payment,
)
from tests.cast import Cast, assemble
from tests.connections import Other
from tests.payments.stories import (
    a_client,
    a_payment,
    a_verified_payment,
    an_open_deal,
    kes,
    new_payment,
)


def rename_client(cast: Cast, deal: Deal, client: Party | None) -> None:
    change_deal(
        actor=cast.actor("olga"),
        deal_id=deal.pk,
        changes={"client_id": client.pk if client else None},
    )


def win_for(cast: Cast, deal: Deal, client: Party) -> None:
    wins = [DealWin(deal_id=deal.pk, client_id=client.pk)]
    win_deals(actor=cast.actor("olga"), wins=wins)


@pytest.mark.parametrize("make", [a_payment, a_verified_payment])
@pytest.mark.parametrize("change", [rename_client, win_for])
def test_refuses_another_client_and_changes_nothing(
    cast: Cast, make: Callable[..., Payment], change: Callable[..., None]
) -> None:
    deal = an_open_deal(cast)
    payment = make(cast, deal, kes("100.00"))
    other = a_client(cast, name="Ziwa Limited")
    told = AuditEntry.objects.count()
    with pytest.raises(errors.PaidByAnother, match=payment.reference) as refused:
        change(cast, deal, other)
    assert refused.value.extra == {"deal": deal.reference, "payments": [payment.reference]}
    stands = Deal.objects.get(pk=deal.pk)
    assert (stands.client_id, stands.stage, stands.version) == (deal.client_id, deal.stage, 1)
    assert not Invoice.objects.exists()
    assert AuditEntry.objects.count() == told


def test_refuses_to_leave_the_deal_without_its_client(cast: Cast) -> None:
    deal = an_open_deal(cast)
    a_payment(cast, deal)
    with pytest.raises(errors.PaidByAnother):
        rename_client(cast, deal, None)


def test_says_what_to_do(cast: Cast) -> None:
    deal, other = an_open_deal(cast), a_client(cast, name="Ziwa Limited")
    payment = a_payment(cast, deal)
    with pytest.raises(errors.PaidByAnother, match="Withdraw or reject"):
        rename_client(cast, deal, other)
    verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
    with pytest.raises(errors.PaidByAnother, match="a deal of its own"):
        rename_client(cast, deal, other)


def test_names_a_few_of_many(cast: Cast) -> None:
    deal = an_open_deal(cast)
    record_payments(
        actor=cast.actor("olga"), payments=[new_payment(deal, kes("1.00")) for _ in range(8)]
    )
    with pytest.raises(errors.PaidByAnother, match="and others on") as refused:
        rename_client(cast, deal, a_client(cast, name="Ziwa Limited"))
    assert len(refused.value.extra["payments"]) == 5


def test_one_deal_of_a_batch_refuses_the_batch(cast: Cast) -> None:
    free, paid = an_open_deal(cast), an_open_deal(cast)
    a_payment(cast, paid)
    other = a_client(cast, name="Ziwa Limited")
    moves = [
        StageMove(deal_id=deal.pk, to_stage="won", client_id=other.pk) for deal in (free, paid)
    ]
    with pytest.raises(errors.PaidByAnother, match=paid.reference):
        change_stages(actor=cast.actor("olga"), moves=moves)
    assert not Deal.objects.won().exists()


def test_a_payment_that_was_refused_or_taken_back_is_in_nobodys_way(cast: Cast) -> None:
    deal, other = an_open_deal(cast), a_client(cast, name="Ziwa Limited")
    rejected, withdrawn = a_payment(cast, deal), a_payment(cast, deal)
    reject_payment(actor=cast.actor("vera"), payment_id=rejected.pk, remarks="Not received.")
    withdraw_payment(actor=cast.actor("olga"), payment_id=withdrawn.pk)
    rename_client(cast, deal, other)
    a_verified_payment(cast, deal, kes("10.00"))
    win_for(cast, deal, other)
    assert Invoice.objects.get().allocated == kes("10.00")


def test_whatever_else_may_change_under_payments(cast: Cast) -> None:
    deal = an_open_deal(cast)
    a_verified_payment(cast, deal)
    change_deal(
        actor=cast.actor("olga"),
        deal_id=deal.pk,
        changes={"name": "Renamed", "value": kes("7.00"), "client_id": deal.client_id},
    )
    assert Deal.objects.get(pk=deal.pk).value == kes("7.00")


def test_paid_on_the_day_it_closed(cast: Cast) -> None:
    """Winning for the client that paid is what everybody does."""
    deal = an_open_deal(cast, value=kes("100.00"))
    a_verified_payment(cast, deal, kes("100.00"))
    wins = [DealWin(deal_id=deal.pk, client_id=deal.client_id, closed_on=date(2026, 4, 1))]
    win_deals(actor=cast.actor("olga"), wins=wins)
    assert Invoice.objects.get().state == "paid"


class TestApi:
    def test_is_a_conflict_by_name(self, cast: Cast) -> None:
        deal, other = an_open_deal(cast), a_client(cast, name="Ziwa Limited")
        payment = a_verified_payment(cast, deal)
        olga = cast.api("olga")
        for answer in (
            olga.patch(f"deals/{deal.pk}/", {"client": str(other.pk)}),
            olga.post(
                f"deals/{deal.pk}/stage-changes/", {"to_stage": "won", "client": str(other.pk)}
            ),
        ):
            assert answer.status_code == 409, answer.json()
            problem = answer.json()
            assert (problem["code"], problem["payments"]) == (
                "deal_paid_by_another",
                [payment.reference],
            )

    def test_tells_a_stranger_nothing_of_the_payments(self, cast: Cast) -> None:
        deal = an_open_deal(cast)
        a_verified_payment(cast, deal)
        theirs = a_client(cast, owner="oscar", name="Ziwa Limited")
        answer = cast.api("oscar").patch(f"deals/{deal.pk}/", {"client": str(theirs.pk)})
        assert answer.status_code == 404


class TestAtOnce:
    """Real connections: a change of client and a payment cannot pass each other."""

    @pytest.fixture
    def cast(self, real_commits: Any) -> Cast:
        return assemble()

    def test_a_payment_waits_for_the_change_and_is_the_new_clients(
        self, real_commits: Any, cast: Cast
    ) -> None:
        deal, other = an_open_deal(cast), a_client(cast, name="Ziwa Limited")
        with transaction.atomic():
            rename_client(cast, deal, other)
            paying = Other(real_commits, partial(a_payment, cast, deal))
            assert paying.waits()
        assert paying.end() == "done"
        assert Payment.objects.get().client_id == other.pk
        # The signature covers the client as well.
        verify_payment(actor=cast.actor("vera"), payment_id=Payment.objects.get().pk)

    @pytest.mark.parametrize("change", [rename_client, win_for])
    def test_a_change_waits_for_the_payment_and_is_refused(
        self, real_commits: Any, cast: Cast, change: Callable[..., None]
    ) -> None:
        deal, other = an_open_deal(cast), a_client(cast, name="Ziwa Limited")
        with transaction.atomic():
            a_payment(cast, deal)
            changing = Other(real_commits, partial(change, cast, deal, other))
            assert changing.waits()
        assert changing.end() == "deal_paid_by_another"
        assert Payment.objects.get().client_id == Deal.objects.get().client_id == deal.client_id

    def test_a_payment_waits_for_the_loss_and_is_refused(
        self, real_commits: Any, cast: Cast
    ) -> None:
        deal = an_open_deal(cast)
        with transaction.atomic():
            change_stages(
                actor=cast.actor("olga"), moves=[StageMove(deal_id=deal.pk, to_stage="lost")]
            )
            paying = Other(real_commits, partial(a_payment, cast, deal))
            assert paying.waits()
        assert paying.end() == "deal_lost"
        assert not Payment.objects.exists()
        assert not Approval.objects.exists()

    def test_batches_over_the_same_deals_in_opposite_orders_queue(
        self, real_commits: Any, cast: Cast
    ) -> None:
        deals = [an_open_deal(cast) for _ in range(3)]

        def paying(order: list[Deal]) -> None:
            record_payments(
                actor=cast.actor("olga"), payments=[new_payment(deal) for deal in order]
            )

        with transaction.atomic():
            paying(deals)
            other = Other(real_commits, partial(paying, deals[::-1]))
            assert other.waits()
        assert other.end() == "done"
        assert Payment.objects.filter(state=PaymentState.PENDING).count() == 6
