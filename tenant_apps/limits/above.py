"""What higher floors tell limits at start-up: which deals there are, and what money waits on them.

Limits stand below deals and payments, so those register here how they are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from shared_apps.kernel.actor import Actor

DealSeen = Callable[[Actor, UUID], bool]
# By deal, client and currency: minor units of the client's own money that the deal's invoice will
# take as soon as it is there.
Waiting = Callable[[Collection[UUID]], Mapping[tuple[UUID, UUID, str], int]]

_deal_seen: list[DealSeen] = []
_waiting: list[Waiting] = []


def register_deals(seen: DealSeen) -> None:
    """`seen(actor, deal_id)` says whether the actor sees such a deal."""
    _deal_seen[:] = [seen]


def register_waiting_money(waiting: Waiting) -> None:
    """`waiting(deal_ids)` tells what was paid on deals before their invoices."""
    _waiting[:] = [waiting]


def deal_is_seen(actor: Actor, *, deal_id: UUID) -> bool:
    """Whether the actor sees such a deal; no, where nobody knows deals."""
    return any(seen(actor, deal_id) for seen in _deal_seen)


def waiting_money(*, deal_ids: Collection[UUID]) -> dict[tuple[UUID, UUID, str], int]:
    """What clients paid on deals that have no invoice yet, in minor units; nothing if unknown."""
    found: dict[tuple[UUID, UUID, str], int] = {}
    for waiting in _waiting:
        found.update(waiting(deal_ids))
    return found
