"""Short ways to the situations that tests of deals begin with."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared_apps.kernel.money import Money
from tenant_apps.deals.models import Deal
from tenant_apps.deals.services import DealWin, NewDeal, record_deals, win_deals
from tenant_apps.parties.models import Party
from tenant_apps.parties.services import NewClient, record_clients
from tests.cast import Cast


def kes(amount: str) -> Money:
    return Money.parse(amount, "KES")


def a_client(cast: Cast, *, owner: str = "olga", **values: Any) -> Party:
    new = NewClient(
        **{
            "name": "Mto Traders",
            "owner_id": cast.user(owner).pk,
            "unit_id": cast.unit_of(owner).pk,
            **values,
        }
    )
    return record_clients(actor=cast.system, clients=[new])[0]


def new_deal(cast: Cast, *, owner: str = "olga", **values: Any) -> NewDeal:
    return NewDeal(
        **{
            "owner_id": cast.user(owner).pk,
            "unit_id": cast.unit_of(owner).pk,
            "value": kes("1250.00"),
            **values,
        }
    )


def a_deal(cast: Cast, *, owner: str = "olga", **values: Any) -> Deal:
    """An open deal of the owner, recorded by the owner."""
    return record_deals(actor=cast.actor(owner), deals=[new_deal(cast, owner=owner, **values)])[0]


def a_won_deal(
    cast: Cast, *, owner: str = "olga", closed_on: date | None = None, **values: Any
) -> Deal:
    deal = a_deal(cast, owner=owner, client_id=values.pop("client_id", a_client(cast).pk), **values)
    return win_deals(actor=cast.actor(owner), wins=[DealWin(deal_id=deal.pk, closed_on=closed_on)])[
        0
    ]


def path(deal: Deal, rest: str = "") -> str:
    """Where the API keeps a deal, and what belongs to it."""
    return f"deals/{deal.pk}/{rest}"
