"""A deal is not lost while money stands on it: no invoice would ever take it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from shared_apps.audit.models import AuditEntry
from tenant_apps.deals.models import Deal, StageChange
from tenant_apps.deals.services import StageMove, change_stages
from tenant_apps.payments import errors
from tenant_apps.payments.models import Payment
from tenant_apps.payments.services import (
    record_payments,
    reject_payment,
    verify_payment,
    withdraw_payment,
)
from tests.cast import Cast, assemble
from tests.connections import Other
from tests.payments.stories import (
    a_payment,
    a_verified_payment,
    an_open_deal,
    kes,
    new_payment,
)


def lose(cast: Cast, *deals: Deal) -> None:
    moves = [StageMove(deal_id=deal.pk, to_stage="lost") for deal in deals]
    change_stages(actor=cast.actor("olga"), moves=moves)


@pytest.mark.parametrize("make", [a_payment, a_verified_payment])
def test_refuses_and_changes_nothing(cast: Cast, make: Callable[..., Payment]) -> None:
    deal = an_open_deal(cast)
    payment = make(cast, deal, kes("100.00"))
    told, steps = AuditEntry.objects.count(), StageChange.objects.count()
    with pytest.raises(errors.DealHoldsMoney, match=payment.reference) as refused:
        lose(cast, deal)
    assert refused.value.extra == {"deal": deal.reference, "payments": [payment.reference]}
    stands = Deal.objects.get(pk=deal.pk)
    assert (stands.stage, stands.closed_on, stands.version) == (deal.stage, None, 1)
    assert (AuditEntry.objects.count(), StageChange.objects.count()) == (told, steps)


def test_says_what_to_do(cast: Cast) -> None:
    deal = an_open_deal(cast)
    payment = a_payment(cast, deal)
    with pytest.raises(errors.DealHoldsMoney, match="Withdraw or reject them first"):
        lose(cast, deal)
    verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
    with pytest.raises(errors.DealHoldsMoney, match="Win it at the value that was agreed"):
        lose(cast, deal)


def test_names_a_few_of_many(cast: Cast) -> None:
    deal = an_open_deal(cast)
    record_payments(
        actor=cast.actor("olga"), payments=[new_payment(deal, kes("1.00")) for _ in range(8)]
    )
    with pytest.raises(errors.DealHoldsMoney, match="and others on") as refused:
        lose(cast, deal)
    assert len(refused.value.extra["payments"]) == 5


def test_one_deal_of_a_batch_refuses_the_batch(cast: Cast) -> None:
    free, paid = an_open_deal(cast), an_open_deal(cast)
    a_payment(cast, paid)
    with pytest.raises(errors.DealHoldsMoney, match=paid.reference):
        lose(cast, free, paid)
    assert not Deal.objects.filter(stage="lost").exists()


def test_a_payment_that_was_refused_or_taken_back_is_in_nobodys_way(cast: Cast) -> None:
    deal = an_open_deal(cast)
    rejected, withdrawn = a_payment(cast, deal), a_payment(cast, deal)
    reject_payment(actor=cast.actor("vera"), payment_id=rejected.pk, remarks="Not received.")
    withdraw_payment(actor=cast.actor("olga"), payment_id=withdrawn.pk)
    lose(cast, deal)
    assert Deal.objects.get(pk=deal.pk).stage == "lost"


def test_is_a_conflict_by_name(cast: Cast) -> None:
    deal = an_open_deal(cast)
    payment = a_verified_payment(cast, deal)
    answer = cast.api("olga").post(f"deals/{deal.pk}/stage-changes/", {"to_stage": "lost"})
    assert (answer.status_code, answer.json()["code"]) == (409, "deal_holds_money")
    assert answer.json()["payments"] == [payment.reference]


def test_whoever_loses_the_deal_waits_for_whoever_records_a_payment(real_commits: Any) -> None:
    cast = assemble()
    deal = an_open_deal(cast)
    with transaction.atomic():
        a_payment(cast, deal)
        other = Other(real_commits, partial(lose, cast, deal))
        assert other.waits()
    assert other.end() == "deal_holds_money"
    assert Deal.objects.get(pk=deal.pk).stage == deal.stage
