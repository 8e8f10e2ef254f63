"""Short ways to the situations that tests of credit limits begin with."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from shared_apps.kernel import clock
from shared_apps.kernel.money import Money
from tenant_apps.approvals.selectors import pending_approval_of
from tenant_apps.approvals.services import sign
from tenant_apps.deals.models import Deal
from tenant_apps.deals.services import DealWin, win_deals
from tenant_apps.ledger.models import CreditLine
from tenant_apps.ledger.selectors import balance_of
from tenant_apps.limits.models import CreditLimit, LimitOverride
from tenant_apps.limits.services import request_override, set_limit
from tenant_apps.limits.verification import differences
from tenant_apps.parties.models import Party
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, kes


def a_limit(
    cast: Cast, client: Party, amount: str | None, mode: str = "refuse", **values: Any
) -> CreditLimit:
    return set_limit(
        actor=cast.actor("sam"),
        client_id=client.pk,
        currency="KES",
        amount=None if amount is None else kes(amount),
        mode=mode,
        reason=values.pop("reason", "They pay on time."),
        **values,
    )


def a_limited_client(cast: Cast, amount: str, mode: str = "refuse") -> Party:
    client = a_client(cast)
    a_limit(cast, client, amount, mode)
    return client


def win(cast: Cast, client: Party, amount: str, *, deal: Deal | None = None) -> Deal:
    """Win a deal over this much, which issues its invoice."""
    deal = deal or a_deal(cast, client_id=client.pk, value=kes(amount))
    return win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk)])[0]


def tomorrow(days: int = 1) -> date:
    return clock.today("Africa/Nairobi") + timedelta(days=days)


def an_override(
    cast: Cast, client: Party, amount: str, *, approved: bool = True, **values: Any
) -> LimitOverride:
    """Asked for by Olga, approved by Sam."""
    override = request_override(
        actor=cast.actor("olga"),
        client_id=client.pk,
        amount=kes(amount),
        valid_until=values.pop("valid_until", tomorrow()),
        reason=values.pop("reason", "A big order before the holidays."),
        **values,
    )
    if approved:
        approve(cast, override)
        override.refresh_from_db()
    return override


def approve(cast: Cast, override: LimitOverride, *, by: str = "sam") -> None:
    sign(approval_id=approval_of(override), actor=cast.actor(by))


def approval_of(override: LimitOverride) -> UUID:
    approval = pending_approval_of(
        subject_type="limits.limitoverride", subject_id=override.pk, action="approve"
    )
    assert approval is not None
    return approval.pk


def line_of(client: Party) -> CreditLine:
    return CreditLine.objects.get(subject_id=client.pk, currency="KES")


def used(client: Party) -> Money:
    """What the client's line counts, which is what the books say that it owes."""
    counted: Money = line_of(client).used
    assert counted == balance_of(account_code="1200", currency="KES", subledger_id=client.pk)
    assert differences() == []
    return counted
