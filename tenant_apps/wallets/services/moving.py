"""One conditional UPDATE takes a sale from one state to the next: of two who try, one is too late.

The statement answers the row, so that nobody reads what was just written, and keeps it locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from shared_apps.kernel import clock
from shared_apps.kernel.operations import step
from tenant_apps.wallets.models import ChargeSale, SaleState

_MOVE = """
    UPDATE wallets_chargesale AS s
    SET state = %(to)s,
        sent_at = COALESCE(s.sent_at, %(sent_at)s),
        next_ask_at = %(next_ask_at)s,
        settled_at = %(settled_at)s,
        provider_reference = %(provider_reference)s,
        reason = %(reason)s,
        updated_at = %(now)s
    FROM wallets_wallet AS w, wallets_operator AS o
    WHERE s.id = %(id)s AND s.state = ANY (%(among)s)
      AND w.id = s.wallet_id AND o.id = s.operator_id
    RETURNING s.*, w.seller_id, o.code AS operator_code
"""


@step
def move(
    *,
    sale_id: UUID,
    among: Iterable[SaleState],
    to: SaleState,
    sent_at: datetime | None = None,
    next_ask_at: datetime | None = None,
    settled_at: datetime | None = None,
    provider_reference: str = "",
    reason: str = "",
) -> ChargeSale | None:
    """The sale in its next state; None where it is not in one of `among`.

    A sale that is sold was sent: where nobody has noted when, it is now.
    """
    now = clock.now()
    if to == SaleState.SOLD:
        sent_at = now
    values = {
        "id": sale_id,
        "among": [str(state) for state in among],
        "to": str(to),
        "sent_at": sent_at,
        "next_ask_at": next_ask_at,
        "settled_at": settled_at,
        "provider_reference": provider_reference,
        "reason": reason,
        "now": now,
    }
    moved: list[ChargeSale] = list(ChargeSale.objects.raw(_MOVE, values))
    return moved[0] if moved else None
