"""The only writer of quota counters. The database decides: nothing is read before it is written."""

from django.db import connection

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.operations import step
from tenant_apps.usage.errors import QuotaExceeded
from tenant_apps.usage.models import QuotaBypass
from tenant_apps.usage.selectors import limit_of, period_of, used_of
from tenants.context import current_organization

_UNLIMITED = 2**62

# A conflict is answered by an update that is taken only while it stays within the limit; the
# first use of a period is an insert under the same condition.
_CONSUME = """
INSERT INTO usage_usagecounter AS counter (id, created_at, updated_at, name, period, used)
SELECT %(id)s, %(now)s, %(now)s, %(name)s, %(period)s, %(amount)s
WHERE %(amount)s <= %(limit)s
ON CONFLICT (name, period) DO UPDATE
SET used = counter.used + excluded.used, updated_at = excluded.updated_at
WHERE counter.used + excluded.used <= %(limit)s
RETURNING used
"""


def _take(*, name: str, period: str, amount: int, limit: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            _CONSUME,
            {
                "id": uuid7(),
                "now": clock.now(),
                "name": name,
                "period": period,
                "amount": amount,
                "limit": limit,
            },
        )
        return cursor.fetchone() is not None


@step
def consume(*, name: str, amount: int = 1, actor: Actor, bypass_reason: str = "") -> None:
    """Count a use against the plan's quota, in the caller's transaction.

    With a `bypass_reason` the use is counted though the quota is used up, and that it was let
    past is recorded (an import of what happened before the organization came here).

    :raises QuotaExceeded: the quota would be passed; nothing is counted.
    :raises ValueError: the amount is not positive.
    """
    if amount < 1:
        raise ValueError("a use is positive")
    organization = current_organization()
    limit = limit_of(organization, name)
    period = period_of(organization, name)
    if _take(name=name, period=period, amount=amount, limit=_UNLIMITED if limit is None else limit):
        return
    assert limit is not None, "an unlimited quota is never passed"
    if not bypass_reason:
        used = used_of(name=name, period=period)
        raise QuotaExceeded(
            f"The plan allows {limit} {name.replace('_', ' ')}; {used} are used. "
            "Ask an administrator to change the plan.",
            extra={"quota": name, "limit": limit, "used": used, "left": max(limit - used, 0)},
        )
    _take(name=name, period=period, amount=amount, limit=_UNLIMITED)
    QuotaBypass.objects.create(
        name=name,
        period=period,
        amount=amount,
        reason=bypass_reason,
        created_by_id=actor.user_id,
    )


@step
def release(*, name: str, amount: int = 1) -> None:
    """Give back a use of a quota that counts what is there at this moment (users)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE usage_usagecounter"
            " SET used = used - least(used, %s), updated_at = %s WHERE name = %s AND period = ''",
            [amount, clock.now(), name],
        )
