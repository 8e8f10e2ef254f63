"""Many holds in one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from .database import refusals_by_name, written

_EXPIRE_HOLDS = """
    SELECT o.expired FROM ledger_expire_holds(%s::uuid[], %s::uuid, %s::timestamptz) AS o(expired)
     WHERE NOT EXISTS (SELECT FROM ledger_stop)
"""


def expire_holds(*, hold_ids: Sequence[UUID], recorded_at: datetime, actor_id: UUID | None) -> int:
    """Give back what these holds still hold and whose time is over by then; answer how many.

    The caller has locked them and their balances.

    :raises BooksStopped: none is closed until somebody starts the books again.
    """
    with refusals_by_name(), connection.cursor() as cursor:
        cursor.execute(_EXPIRE_HOLDS, [list(hold_ids), actor_id, recorded_at])
        ((expired,),) = written(cursor)
    return int(expired)
