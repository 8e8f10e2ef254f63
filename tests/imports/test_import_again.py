"""A second reading of a book, unchanged or grown."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.access.models import Membership
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.money import Money
from tenant_apps.deals.models import Stage
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Method, Payment, PaymentState
from tenant_apps.payments.services import NewPayment, record_payments
from tenant_apps.teams.models import Team
from tests.imports.books import (
    book,
    changed,
    checksums,
    codes,
    deal,
    run_import,
)


def test_changes_nothing(tenant: Any, verifier: User, folder: Path) -> None:
    run_import(folder)
    before = checksums(tenant.schema_name)

    run = run_import(folder)

    after = checksums(tenant.schema_name)
    told = {"audit_entry", "outbox_message"}
    assert {name for name in before if before[name] != after[name]} <= told
    assert run.counts == {"recorded": 0, "unchanged": 7, "mended": 0, "refused": 0}
    new = AuditEntry.objects.filter(recorded_at__gte=run.created_at)
    assert [entry.event_name for entry in new] == ["imports.sales_book_imported"]


def test_wins_a_deal_that_was_open(verifier: User, folder: Path) -> None:
    run_import(folder)
    won = {"stage": "Won", "closed": "2025-06-01", "value": "77"}
    book(folder, deals=changed("E1", **won))

    run = run_import(folder)

    assert run.counts["recorded"] == 1
    assert run.counts["unchanged"] == 6
    assert deal("E1").stage == Stage.WON
    assert Payment.objects.get(deal=deal("E1")).state == PaymentState.VERIFIED
    assert Invoice.objects.get(deal=deal("E1")).outstanding_minor == 0


def test_takes_a_deal_through_the_stages_between(verifier: User, folder: Path) -> None:
    run_import(folder)
    lost = {"stage": "Lost", "engaged": "2025-05-01", "closed": "2025-06-01", "value": "0"}
    book(folder, deals=changed("P1", **lost))

    run_import(folder)

    stages = deal("P1").stage_changes.order_by("created_at", "id")
    assert [row.to_stage for row in stages] == ["prospecting", "engaging", "lost"]


@pytest.mark.parametrize(
    ("reference", "cells"),
    [
        ("P1", {"stage": "Engaging", "engaged": "2025-04-03"}),
        ("E2", {"stage": "Lost", "closed": "2025-05-03"}),
    ],
)
def test_takes_what_a_later_stage_tells_besides(
    verifier: User, folder: Path, reference: str, cells: dict[str, str]
) -> None:
    run_import(folder)
    told = {"account": "Lone Ltd", "product": "Super Drill", "value": "75.50"}
    book(folder, deals=changed(reference, **cells, **told))

    run_import(folder)

    moved = deal(reference)
    assert moved.stage == cells["stage"].lower()
    assert moved.client is not None
    assert moved.client.name == "Lone Ltd"
    assert moved.product is not None
    assert moved.product.name == "Super Drill"
    assert moved.value_minor == 75_50
    assert run_import(folder).counts["refused"] == 0


def test_invoices_the_product_that_was_won(verifier: User, folder: Path) -> None:
    run_import(folder)
    won = {"stage": "Won", "closed": "2025-06-01", "value": "400", "product": "Mega Pump"}
    book(folder, deals=changed("E1", **won))

    run_import(folder)

    line = Invoice.objects.get(deal=deal("E1")).lines.get()
    assert line.description == "Mega Pump"


@pytest.mark.parametrize(
    ("reference", "cells", "code"),
    [
        ("W1", {"stage": "Lost"}, "stage_differs"),
        ("W1", {"value": "501"}, "value_differs"),
        ("W1", {"account": "Lone Ltd"}, "account_differs"),
        ("E1", {"stage": "Prospecting"}, "stage_differs"),
    ],
)
def test_never_undoes_what_stands(
    tenant: Any,
    verifier: User,
    folder: Path,
    reference: str,
    cells: dict[str, str],
    code: str,
) -> None:
    run_import(folder)
    before = checksums(tenant.schema_name)
    book(folder, deals=changed(reference, **cells))

    run_import(folder)

    assert (reference, code) in codes(folder)
    after = checksums(tenant.schema_name)
    assert before["deals_deal"] == after["deals_deal"]
    assert before["ledger_transfer"] == after["ledger_transfer"]


def test_does_not_move_people_back(verifier: User, folder: Path) -> None:
    from tenant_apps.teams.services import add_member, remove_member

    run_import(folder)
    amara = User.objects.get(full_name="Amara Okoro")
    actor = system_actor("test")
    old, new = (
        Team.objects.get(name=name) for name in ("Mina Manager (North)", "Noor Nasser (South)")
    )
    remove_member(actor=actor, team_id=old.pk, user_id=amara.pk)
    add_member(actor=actor, team_id=new.pk, user_id=amara.pk)

    run_import(folder)

    units = Membership.objects.active().filter(user=amara).values_list("unit_id", flat=True)
    assert list(units) == [new.unit_id]


def test_tells_nothing_of_a_client_that_stays(verifier: User, folder: Path) -> None:
    run_import(folder)
    told = {"stage": "Lost", "engaged": "2025-04-01", "closed": "2025-06-01", "value": "0"}
    book(folder, deals=changed("E1", **told, account="", product="Super Drill"))

    run = run_import(folder)

    assert deal("E1").client is not None
    assert run.counts == {"recorded": 1, "unchanged": 6, "mended": 0, "refused": 0}


def test_tells_of_a_deal_that_still_has_no_client(verifier: User, folder: Path) -> None:
    run_import(folder)
    book(folder, deals=changed("P1", stage="Engaging", engaged="2025-04-03"))

    run_import(folder)

    assert codes(folder) == {("P1", "client_left_open")}


def test_refuses_another_client_where_money_of_the_first_stands(
    verifier: User, folder: Path
) -> None:
    run_import(folder)
    standing = deal("E1")
    payment = NewPayment(
        deal_id=standing.pk,
        method=Method.CASH,
        amount=Money(100, standing.currency),
        paid_on=date(2025, 5, 1),
    )
    record_payments(actor=system_actor("test"), payments=[payment])
    won = {"stage": "Won", "closed": "2025-06-01", "value": "77", "account": "Mother Ltd"}
    book(folder, deals=changed("E1", **won))

    run = run_import(folder)

    assert ("E1", "deal_paid_by_another") in codes(folder)
    assert (run.counts["refused"], deal("E1").stage) == (1, Stage.ENGAGING)
