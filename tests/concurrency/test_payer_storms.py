"""Payments, clients, wins and plans at the same moment: whose money it is stays clear."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db.models import F

from tenant_apps.commissions.models import Commission, CommissionPlan
from tenant_apps.commissions.services import add_plan
from tenant_apps.deals.models import Deal
from tenant_apps.deals.services import DealWin, change_deal, win_deals
from tenant_apps.ledger.verification import verify
from tenant_apps.parties.models import Party
from tenant_apps.payments.models import Payment
from tenant_apps.payments.services import verify_payment, withdraw_payment
from tests.cast import Cast, assemble
from tests.payments.stories import a_client, a_payment, an_open_deal, kes
from tests.storms import assert_rollup_is_recount, at_once

pytestmark = pytest.mark.slow

MARCH = date(2026, 3, 1)
REFUSALS = {"deal_paid_by_another", "deal_closed", "deal_stage_not_reachable"}


@pytest.fixture
def cast(real_commits: Any) -> Cast:
    return assemble()


def change(cast: Cast, deal: Deal, client: Party) -> None:
    change_deal(actor=cast.actor("olga"), deal_id=deal.pk, changes={"client_id": client.pk})


def win(cast: Cast, deal: Deal, client: Party) -> None:
    wins = [DealWin(deal_id=deal.pk, client_id=client.pk, closed_on=MARCH)]
    win_deals(actor=cast.actor("olga"), wins=wins)


def test_no_money_stands_on_a_deal_of_another(real_commits: Any, cast: Cast) -> None:
    first, second = a_client(cast), a_client(cast, name="Ziwa Limited")
    for turn in range(8):
        deal = an_open_deal(cast, client_id=first.pk)
        taken_back = a_payment(cast, deal, kes("5.00")) if turn % 2 else None
        acts: list[Callable[[], Any]] = [
            partial(a_payment, cast, deal, kes("100.00")),
            partial(a_payment, cast, deal, kes("200.00"), by="lea"),
            partial(change, cast, deal, second),
            partial(win, cast, deal, random.choice([first, second])),
        ]
        if taken_back:
            acts.append(
                partial(withdraw_payment, actor=cast.actor("olga"), payment_id=taken_back.pk)
            )
        random.shuffle(acts)
        ends = at_once(real_commits, acts)
        assert set(ends) <= {"done", *REFUSALS}, ends
    assert not Payment.objects.standing().exclude(client_id=F("deal__client_id")).exists()
    for payment in Payment.objects.pending():
        verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)
    for deal in Deal.objects.won():
        assert deal.invoices.get().recipient_id == deal.client_id
        assert deal.invoices.get().allocated == kes("300.00")
    assert verify().books_hold
    assert_rollup_is_recount()


def test_plans_added_amid_verifications_reckon_each_commission_once(
    real_commits: Any, cast: Cast
) -> None:
    for turn in range(4):
        payments = []
        for owner in ("olga", "paul", "oscar"):
            deal = an_open_deal(cast, owner=owner, value=kes("1000.00"))
            win_deals(actor=cast.actor(owner), wins=[DealWin(deal_id=deal.pk, closed_on=MARCH)])
            payments.append(a_payment(cast, deal, kes("100.00"), by=owner))
        acts: list[Callable[[], Any]] = [
            partial(verify_payment, actor=cast.actor("vera"), payment_id=payment.pk)
            for payment in payments
        ]
        acts += [
            partial(
                add_plan,
                actor=cast.actor("ada"),
                name=f"Plan {turn}",
                percent=Decimal(10 + turn),
                starts_on=MARCH.replace(day=2 + turn),
            )
            for _ in range(2)
        ]
        random.shuffle(acts)
        ends = at_once(real_commits, acts)
        assert ends["done"] in (3, 4), ends
        assert set(ends) <= {"done", "commission_plan_too_early", "commission_plan_day_taken"}
    for commission in Commission.objects.accrued().select_related("plan"):
        assert commission.plan is not None
        later = CommissionPlan.objects.filter(
            starts_on__gt=commission.plan.starts_on, starts_on__lte=commission.earned_on
        )
        assert not later.exists(), "a plan of its day stands beside it that it was not reckoned by"
    assert Commission.objects.count() == 12
    assert verify().books_hold
    assert_rollup_is_recount()
