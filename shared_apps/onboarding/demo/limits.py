"""A few credit limits for the demo: one client near its limit, one above, one far from it."""

from collections.abc import Sequence
from uuid import UUID

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from shared_apps.onboarding.demo.cast import CURRENCY
from tenant_apps.ledger.selectors import balances_of
from tenant_apps.limits.models import Mode
from tenant_apps.limits.services import set_limit

# The limit as hundredths of what the client owes, from who owes most.
_LIMITS = (
    (104, Mode.REFUSE, "Nearly used up: look before the next order."),
    (85, Mode.WARN, "Owes more than we like; we go on, and say so."),
    (300, Mode.REFUSE, "Pays on the day."),
)
_ROUND_TO = 100_000


@step
def make_limits(*, client_ids: Sequence[UUID], actor: Actor) -> int:
    """Set limits for the clients that owe most; answers how many."""
    owed = balances_of(account_code="1200", currency=CURRENCY, subledger_ids=client_ids)
    most = sorted(owed, key=lambda client_id: (-owed[client_id].minor, client_ids.index(client_id)))
    for client_id, (percent, mode, reason) in zip(most, _LIMITS, strict=False):
        minor = owed[client_id].minor * percent // 100
        set_limit(
            actor=actor,
            client_id=client_id,
            currency=CURRENCY,
            amount=Money(max(_ROUND_TO, minor - minor % _ROUND_TO), CURRENCY),
            mode=mode,
            reason=reason,
        )
    return min(len(most), len(_LIMITS))
