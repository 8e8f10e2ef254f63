"""Reads all lines of clients and says where they are not what the books and the decisions say."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A client's line in a currency that does not hold, and what is wrong with it."""

    subject: str
    detail: str


# One statement, so one moment's view: a transaction changes account, line and limit together.
_DIFFERENCES = """
WITH owed AS (
    SELECT a.subledger_id AS client_id, a.currency, greatest(0, sum(b.posted)) AS amount
      FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id
     WHERE a.code = '1200' AND a.subledger_id IS NOT NULL
     GROUP BY a.subledger_id, a.currency
),
line AS (
    SELECT l.subject_id AS client_id, l.currency, l.used_minor, l.held_minor, l.limit_minor
      FROM ledger_creditline l WHERE l.subject_type = 'parties.client'
),
decided AS (
    SELECT c.client_id, c.currency,
           max(c.amount_minor) FILTER (WHERE c.state = 'in_force') AS limit_minor
      FROM limits_creditlimit c WHERE c.state IN ('in_force', 'scheduled')
     GROUP BY c.client_id, c.currency
)
SELECT coalesce(line.client_id, decided.client_id) || ' '
           || coalesce(line.currency, decided.currency),
       CASE
           WHEN line.client_id IS NULL THEN 'a limit was decided on, but nothing is counted'
           WHEN decided.client_id IS NULL THEN 'is counted, but nobody decided on a limit'
           WHEN line.used_minor <> coalesce(owed.amount, 0)
               THEN 'uses ' || line.used_minor || ' and owes ' || coalesce(owed.amount, 0)
           ELSE 'has the limit ' || coalesce(line.limit_minor::text, 'none')
               || ', decided was ' || coalesce(decided.limit_minor::text, 'none')
       END
  FROM line
  FULL JOIN decided USING (client_id, currency)
  LEFT JOIN owed USING (client_id, currency)
 WHERE line.client_id IS NULL OR decided.client_id IS NULL
    OR line.used_minor <> coalesce(owed.amount, 0)
    OR line.limit_minor IS DISTINCT FROM decided.limit_minor
 ORDER BY 1
 LIMIT %s
"""


def differences() -> list[Difference]:
    """Where what a client uses is not what it owes on 1200, or its limit not the one decided on.

    At most `LIMIT` of them; none where all is well.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES, [LIMIT])
        rows = cursor.fetchall()
    return [Difference(subject=subject, detail=detail) for subject, detail in rows]
