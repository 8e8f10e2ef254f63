"""The holds of an account, of any state, are read by an index, newest first, page by page."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from tests.cast import assemble
from tests.databases import owner_connection

ACCOUNTS, EACH = 40, 100


@pytest.fixture
def holds(real_commits: Any) -> list[UUID]:
    """Few of many accounts' holds are open, as in books that have stood for some time."""
    with owner_connection(connection.settings_dict["NAME"]) as owner:
        owner.execute(f"SET search_path = {real_commits.schema_name}")
        owner.execute("SELECT set_config('ledger.writer', 'on', false)")
        owner.execute(
            "INSERT INTO ledger_hold (id, request_hash, account_id, amount_minor, captured_minor,"
            " released_minor, currency, state, entries_count, reserved_at, source_type, source_id,"
            " memo) SELECT lpad(n::text, 32, '0')::uuid, '', lpad((n %% %s)::text, 32, '0')::uuid,"
            " 100, 0, CASE WHEN n %% 97 = 0 THEN 0 ELSE 100 END, 'KES',"
            " CASE WHEN n %% 97 = 0 THEN 'open' ELSE 'released' END, 1, now(), 'tests.document',"
            " gen_random_uuid(), '' FROM generate_series(1, %s) AS n",
            [ACCOUNTS, ACCOUNTS * EACH],
        )
        owner.execute(
            "INSERT INTO ledger_account (id, created_at, updated_at, code, name, kind,"
            " normal_side, subledger, currency, subledger_id, parent_id, lock_rank, status)"
            " SELECT lpad(n::text, 32, '0')::uuid, now(), now(), c.code, c.name, c.kind,"
            " c.normal_side, c.subledger, 'KES', gen_random_uuid(), c.id, 0, 'open'"
            " FROM generate_series(0, %s) AS n JOIN ledger_account c ON c.code = '2000'"
            " AND c.currency IS NULL",
            [ACCOUNTS - 1],
        )
        owner.execute("ANALYZE ledger_hold; ANALYZE ledger_account")
    return [UUID(f"{number:032d}") for number in range(ACCOUNTS)]


@pytest.mark.parametrize("state", ["", "open", "released", "captured"])
def test_a_page_reads_the_account_alone(holds: list[UUID], state: str) -> None:
    with transaction.atomic():
        ada = assemble().api("ada")
    query = f"ledger/holds/?account={holds[7]}&page_size=20" + (f"&state={state}" if state else "")
    answer = ada.get(query)
    assert answer.status_code == 200, answer.json()
    ids = [row["id"] for row in answer.json()["results"]]
    assert len(ids) == {"": 20, "open": 1, "released": 20, "captured": 0}[state]
    assert ids == sorted(ids, reverse=True)
    (listing,) = [one for one in ada.statements if 'FROM "ledger_hold"' in one]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {listing}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "ledger_hold_account" in plan or "ledger_hold_open" in plan, plan
    assert "Seq Scan on ledger_hold" not in plan
    if state in ("", "released"):
        assert "Sort" not in plan, "in the index's own order, a page and no more"
