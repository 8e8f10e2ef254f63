"""Reads the whole books and says what does not hold. One statement, so one moment's view.

Each check is a query of its own that answers the offending accounts or transfers; all of them run
in one statement, beside postings that go on. What a check reads is sorted on disk where it must.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from .history import checking

LIMIT_PER_CHECK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that does not hold: which check, about which row, and what is wrong with it."""

    check: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was read and what was found (at most `LIMIT_PER_CHECK` findings of each check)."""

    accounts: int
    transfers: int
    journals: int
    findings: tuple[Finding, ...]

    @property
    def books_hold(self) -> bool:
        return not self.findings


# Every transfer as either account sees it, with the change in that account's own direction.
_SIDES = """
side AS (
    SELECT t.debit_account_id AS account_id, t.debit_stripe AS stripe, t.debit_version AS version,
           t.debit_balance AS balance, t.id AS transfer_id,
           CASE a.normal_side WHEN 'debit' THEN t.amount_minor ELSE -t.amount_minor END AS change
      FROM ledger_transfer t LEFT JOIN ledger_account a ON a.id = t.debit_account_id
     UNION ALL
    SELECT t.credit_account_id, t.credit_stripe, coalesce(t.credit_version, f.version),
           coalesce(t.credit_balance, f.balance), t.id,
           CASE a.normal_side WHEN 'credit' THEN t.amount_minor ELSE -t.amount_minor END
      FROM ledger_transfer t
      LEFT JOIN ledger_account a ON a.id = t.credit_account_id
      LEFT JOIN ledger_foldedcredit f ON f.transfer_id = t.id
      LEFT JOIN ledger_deferredcredit w
        ON w.transfer_id = t.id AND w.account_id = t.credit_account_id
     -- What waits is no side of the balance yet.
     WHERE t.credit_version IS NOT NULL OR f.transfer_id IS NOT NULL OR w.transfer_id IS NULL
),
step AS (
    SELECT s.*,
           row_number() OVER w AS place,
           lag(s.balance, 1, 0::bigint) OVER w AS balance_before
      FROM side s
    WINDOW w AS (PARTITION BY s.account_id, s.stripe ORDER BY s.version, s.transfer_id)
),
kept AS (
    SELECT s.account_id, s.stripe, count(*) AS transfers, max(s.version) AS version,
           sum(s.change) AS posted
      FROM side s GROUP BY s.account_id, s.stripe
)
"""

# The name of each check, and what it answers: subject and detail.
_CHECKS: dict[str, str] = {
    "versions have no gap": """
        SELECT s.account_id || '/' || s.stripe,
               'version ' || coalesce(s.version::text, 'none') || ' stands at place ' || s.place
               || ', transfer ' || s.transfer_id
          FROM step s WHERE s.version IS DISTINCT FROM s.place
    """,
    "each transfer leaves the balance it says": """
        SELECT s.transfer_id::text,
               'account ' || s.account_id || ' had ' || s.balance_before || ', changed by '
               || s.change || ', but ' || coalesce(s.balance::text, 'nothing') || ' is written'
          FROM step s WHERE s.balance IS DISTINCT FROM s.balance_before + s.change
    """,
    "balances equal their transfers": """
        SELECT coalesce(b.account_id, k.account_id) || '/' || coalesce(b.stripe, k.stripe),
               'balance ' || coalesce(b.posted::text, 'missing') || ' at version '
               || coalesce(b.version, 0) || ', transfers give ' || coalesce(k.posted, 0)
               || ' at version ' || coalesce(k.transfers, 0)
          FROM ledger_balance b
          FULL JOIN kept k ON k.account_id = b.account_id AND k.stripe = b.stripe
         WHERE b.account_id IS NULL OR b.posted <> coalesce(k.posted, 0)
            OR b.version <> coalesce(k.transfers, 0)
    """,
    "nothing is below its floor": """
        SELECT b.account_id || '/' || b.stripe,
               'posted ' || b.posted || ', held ' || b.held || ', floor ' || b.floor
          FROM ledger_balance b WHERE b.held < 0 OR b.posted - b.held < b.floor
    """,
    "balances agree with their accounts": """
        SELECT b.account_id || '/' || b.stripe,
               'floor ' || coalesce(b.floor::text, 'none') || ', direction ' || b.direction
               || ', ' || b.currency || CASE WHEN b.is_open THEN ', open' ELSE ', closed' END
               || '; the account says otherwise'
          FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
         WHERE b.floor IS DISTINCT FROM CASE b.stripe WHEN 0 THEN a.floor ELSE a.floor * 0 END
            OR b.currency IS DISTINCT FROM a.currency
            OR b.direction <> CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END
            OR b.is_open <> (a.status = 'open')
    """,
    "accounts under the chart agree with it": """
        SELECT a.id::text, 'account ' || a.code || ' differs from its line of the chart'
          FROM ledger_account a LEFT JOIN ledger_account c ON c.id = a.parent_id
         WHERE a.currency IS NOT NULL
           AND (c.id IS NULL OR (a.code, a.kind, a.normal_side, a.subledger)
                                <> (c.code, c.kind, c.normal_side, c.subledger))
    """,
    "accounts are open as their lines of the chart are": """
        SELECT a.id::text,
               'account ' || a.code || ' is ' || a.status || ', its line of the chart ' || c.status
               || CASE WHEN b.is_open THEN '; postings are taken' ELSE '; postings are refused' END
          FROM ledger_account a
          JOIN ledger_account c ON c.id = a.parent_id
          LEFT JOIN ledger_balance b ON b.account_id = a.id
         WHERE a.currency IS NOT NULL
           AND (a.status <> c.status OR b.is_open <> (c.status = 'open'))
    """,
    "every account that carries money has its balances": """
        SELECT a.id::text, 'account ' || a.code || ' has ' || count(b.account_id)
               || ' balances instead of ' || a.stripes
          FROM ledger_account a
          LEFT JOIN ledger_balance b ON b.account_id = a.id AND b.stripe BETWEEN 0 AND a.stripes - 1
         WHERE a.currency IS NOT NULL
         GROUP BY a.id
        HAVING count(b.account_id) <> a.stripes
    """,
    "credits that were deferred wait or are counted, once": """
        SELECT coalesce(t.id, w.transfer_id, f.transfer_id)::text,
               CASE WHEN t.id IS NULL THEN 'is no transfer that was deferred'
                    ELSE 'credits ' || t.amount_minor || ' to account ' || t.credit_account_id
                         || coalesce('; ' || w.amount_minor || ' wait for ' || w.account_id,
                                     '; nothing waits')
                         || coalesce('; counted for ' || f.account_id, '; not counted') END
          FROM (SELECT * FROM ledger_transfer WHERE credit_version IS NULL) t
          FULL JOIN ledger_deferredcredit w ON w.transfer_id = t.id
          FULL JOIN ledger_foldedcredit f ON f.transfer_id = coalesce(t.id, w.transfer_id)
         WHERE t.id IS NULL OR t.credit_balance IS NOT NULL
            OR (w.transfer_id IS NULL) = (f.transfer_id IS NULL)
            OR (w.account_id, w.amount_minor) <> (t.credit_account_id, t.amount_minor)
            OR (f.account_id, f.stripe) <> (t.credit_account_id, t.credit_stripe)
    """,
    "credits wait where nobody decides by the balance": """
        SELECT a.id::text, 'account ' || a.code || ' has credits that wait, and '
               || CASE WHEN a.status <> 'open' THEN 'is closed' ELSE 'a floor' END
          FROM ledger_account a
         WHERE EXISTS (SELECT FROM ledger_deferredcredit w WHERE w.account_id = a.id)
           AND (a.floor IS NOT NULL OR a.status <> 'open')
    """,
    "transfers stay within one currency": """
        SELECT t.id::text,
               'in ' || t.currency || ' from ' || coalesce(c.currency, 'nothing') || ' to '
               || coalesce(d.currency, 'nothing')
          FROM ledger_transfer t
          LEFT JOIN ledger_account d ON d.id = t.debit_account_id
          LEFT JOIN ledger_account c ON c.id = t.credit_account_id
         WHERE d.currency IS DISTINCT FROM t.currency OR c.currency IS DISTINCT FROM t.currency
            OR t.amount_minor <= 0
            OR t.debit_account_id = t.credit_account_id
               AND (t.kind <> 'gathering' OR t.debit_stripe = t.credit_stripe)
            OR (t.kind = 'reversal') <> (t.reverses_id IS NOT NULL)
    """,
    "journals are whole": """
        SELECT t.journal_id::text, count(*) || ' legs, numbered ' || min(t.leg) || ' to '
               || max(t.leg) || ', of ' || count(DISTINCT t.source_id) || ' sources, on '
               || count(DISTINCT t.effective_on) || ' days'
          FROM ledger_transfer t GROUP BY t.journal_id
        HAVING count(*) <> max(t.leg) OR min(t.leg) <> 1 OR count(DISTINCT t.leg) <> count(*)
            OR count(DISTINCT t.source_id) <> 1 OR count(DISTINCT t.effective_on) <> 1
            OR count(DISTINCT t.kind) <> 1 OR count(DISTINCT t.rule) <> 1
    """,
    "what is held is the sum of the open holds": """
        SELECT b.account_id || '/' || b.stripe,
               'held ' || b.held || ', open holds give ' || coalesce(h.held, 0)
          FROM ledger_balance b
          FULL JOIN (SELECT account_id, 0 AS stripe,
                            sum(amount_minor - captured_minor - released_minor) AS held
                       FROM ledger_hold WHERE state = 'open' GROUP BY account_id) h
            ON h.account_id = b.account_id AND h.stripe = b.stripe
         WHERE b.held IS DISTINCT FROM coalesce(h.held, 0)
    """,
    "holds are the sum of their entries": """
        SELECT coalesce(h.id, e.hold_id)::text,
               'reserved ' || coalesce(h.amount_minor, 0) || ', captured '
               || coalesce(h.captured_minor, 0) || ', released ' || coalesce(h.released_minor, 0)
               || '; the entries say otherwise'
          FROM ledger_hold h
          FULL JOIN (SELECT hold_id, count(*) AS entries, max(number) AS last,
                            sum(amount_minor) FILTER (WHERE kind = 'reserve') AS reserved,
                            coalesce(sum(amount_minor) FILTER (WHERE kind = 'capture'), 0)
                                AS captured,
                            coalesce(sum(amount_minor) FILTER (
                                WHERE kind IN ('release', 'expire')), 0) AS released
                       FROM ledger_holdentry GROUP BY hold_id) e ON e.hold_id = h.id
         WHERE (h.amount_minor, h.captured_minor, h.released_minor, h.entries_count::bigint,
                h.entries_count::bigint)
               IS DISTINCT FROM (e.reserved, e.captured, e.released, e.entries, e.last::bigint)
    """,
    "credit lines are as their entries left them": """
        SELECT coalesce(l.id, e.line_id)::text,
               'at version ' || coalesce(l.version, 0) || ' used ' || coalesce(l.used_minor, 0)
               || ', held ' || coalesce(l.held_minor, 0) || '; the entries say otherwise'
          FROM ledger_creditline l
          FULL JOIN (SELECT line_id, count(*) AS entries, max(version) AS version,
                            sum(used_change) AS used, sum(held_change) AS held
                       FROM ledger_creditlineentry GROUP BY line_id) e ON e.line_id = l.id
         WHERE (l.version, l.version, l.used_minor, l.held_minor)
               IS DISTINCT FROM (coalesce(e.entries, 0), coalesce(e.version, 0),
                                 coalesce(e.used, 0), coalesce(e.held, 0))
    """,
    "entries follow each other on their credit line": """
        SELECT n.id::text, 'version ' || n.version || ' does not follow from the one before'
          FROM (SELECT e.*, lag(used_minor, 1, 0::bigint) OVER w AS used_before,
                       lag(held_minor, 1, 0::bigint) OVER w AS held_before
                  FROM ledger_creditlineentry e
                WINDOW w AS (PARTITION BY line_id ORDER BY version)) n
         WHERE n.used_minor <> n.used_before + n.used_change
            OR n.held_minor <> n.held_before + n.held_change
    """,
    "credit stays within its limit": """
        SELECT l.id::text, 'used ' || l.used_minor || ' and held ' || l.held_minor || ' of '
               || l.limit_minor || ', grandfathered ' || l.grandfathered_minor
          FROM ledger_creditline l
         WHERE l.used_minor < 0 OR l.held_minor < 0
            OR l.used_minor + l.held_minor > greatest(l.limit_minor, l.grandfathered_minor)
               AND l.limit_minor IS NOT NULL
    """,
    "transfers are found by their source": """
        SELECT t.id::text, 'does not begin as its source ' || t.source_id || ' and its journal '
               || t.journal_id
          FROM ledger_transfer t
         WHERE left(t.id::text, 13) <> left(t.source_id::text, 13)
            OR left(t.id::text, 13) <> left(t.journal_id::text, 13)
    """,
    "reversals undo what they name, once": """
        SELECT r.id::text, 'reverses ' || r.reverses_id
               || CASE WHEN t.id IS NULL THEN ', which is not there' ELSE ' otherwise' END
          FROM ledger_transfer r LEFT JOIN ledger_transfer t ON t.id = r.reverses_id
         WHERE r.reverses_id IS NOT NULL
           AND (t.id IS NULL OR t.kind = 'reversal'
                OR (r.debit_account_id, r.credit_account_id, r.amount_minor, r.currency)
                   <> (t.credit_account_id, t.debit_account_id, t.amount_minor, t.currency))
         UNION ALL
        SELECT t.reverses_id::text, 'is reversed ' || count(*) || ' times'
          FROM ledger_transfer t WHERE t.reverses_id IS NOT NULL
         GROUP BY t.reverses_id HAVING count(*) > 1
    """,
    "journals are reversed whole": """
        SELECT t.journal_id::text, count(r.id) || ' of ' || count(*) || ' legs are reversed'
          FROM ledger_transfer t
          LEFT JOIN ledger_transfer r ON r.reverses_id = t.id
         GROUP BY t.journal_id HAVING count(r.id) NOT IN (0, count(*))
    """,
    "the books are even in each currency": """
        SELECT a.currency::text, 'debits exceed credits by ' || sum(n.net)
          FROM (SELECT b.account_id, CASE a.normal_side WHEN 'debit' THEN b.posted
                                     ELSE -b.posted END AS net
                  FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
                 UNION ALL
                SELECT w.account_id, -w.amount_minor FROM ledger_deferredcredit w) n
          JOIN ledger_account a ON a.id = n.account_id
         GROUP BY a.currency HAVING sum(n.net) <> 0
    """,
    **checking.CHECKS,
}
_COUNTS = {
    "accounts": "SELECT count(*) FROM ledger_balance",
    "transfers": "SELECT count(*) FROM ledger_transfer",
    "journals": "SELECT count(DISTINCT journal_id) FROM ledger_transfer",
}


def _statement() -> str:
    """Every check and count as one statement of three columns: name, subject, detail."""
    parts = [
        f"(SELECT '{name}', found.* FROM ({check}) AS found LIMIT {LIMIT_PER_CHECK})"  # noqa: S608
        for name, check in _CHECKS.items()
    ]
    # The texts are those above: nothing of a caller's is in them.
    parts += [f"(SELECT '{name}', ({count})::text, '')" for name, count in _COUNTS.items()]
    return f"WITH {_SIDES}, {checking.recount()} {' UNION ALL '.join(parts)}"


def verify() -> Verification:
    """Read the current organization's books from beginning to end."""
    with connection.cursor() as cursor:
        cursor.execute(_statement())
        rows: Iterable[tuple[str, str, str]] = cursor.fetchall()
    counts = {name: int(number) for name, number, _ in rows if name in _COUNTS}
    findings = tuple(
        Finding(check=check, subject=subject, detail=detail)
        for check, subject, detail in rows
        if check in _CHECKS
    )
    return Verification(**counts, findings=findings)
