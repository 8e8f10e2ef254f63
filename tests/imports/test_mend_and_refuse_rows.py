"""What an import mends, what it refuses, and how it tells."""

from pathlib import Path

import pytest

from shared_apps.accounts.models import User
from tenant_apps.deals.models import Deal
from tenant_apps.imports.models import ImportFinding
from tenant_apps.parties.models import Party
from tenant_apps.payments.models import Payment
from tenant_apps.products.models import Product
from tenant_apps.teams.models import Team
from tests.imports.books import (
    ACCOUNTS,
    DEALS,
    PRODUCTS,
    TEAMS,
    book,
    changed,
    codes,
    deal,
    reported,
    run_import,
)


def test_mended_rows_are_listed(verifier: User, folder: Path) -> None:
    run_import(folder)

    assert codes(folder) == {
        ("E1", "product_respelt"),
        ("E2", "client_left_open"),
        ("P1", "client_left_open"),
    }
    (row,) = [row for row in reported(folder) if row["reference"] == "E1"]
    assert row["file"] == "sales_pipeline.csv"
    assert row["line"] == "6"
    assert row["outcome"] == "mended"
    assert row["detail"] == "product 'SuperDrill' is taken for 'Super Drill'."


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"agent": "Nobody Known"}, "agent_unknown"),
        ({"product": "Perpetual Motion"}, "product_unknown"),
        ({"account": ""}, "client_missing"),
        ({"value": ""}, "value_missing"),
        ({"value": "0"}, "value_missing"),
        ({"value": "1.005"}, "amount_too_fine"),
        ({"value": "99999999999999999"}, "amount_too_large"),
        ({"value": "99999999999999"}, "deal_value_too_large"),
        ({"closed": ""}, "close_date_missing"),
        ({"closed": "2025-01-04"}, "closed_before_engaged"),
        ({"closed": "2999-01-01"}, "date_in_future"),
        ({"engaged": "1066-10-14", "closed": "1066-10-15"}, "deal_stage_date_too_early"),
        ({"stage": "Engaging", "engaged": ""}, "engage_date_missing"),
    ],
)
def test_a_refused_row_is_listed_and_the_others_go_on(
    verifier: User, tmp_path: Path, cells: dict[str, str], code: str
) -> None:
    folder = book(tmp_path / "book", deals=changed("W2", **cells))

    run = run_import(folder)

    assert ("W2", code) in codes(folder)
    assert run.counts["refused"] == 1
    assert set(Deal.objects.values_list("external_reference", flat=True)) == {
        row[0] for row in DEALS
    } - {"W2"}
    assert Payment.objects.verified().count() == 2


def test_the_first_of_equal_references_counts(verifier: User, tmp_path: Path) -> None:
    folder = book(tmp_path / "book", deals=[*DEALS, *changed("W1", value="7")[:1]])

    run_import(folder)

    assert ("W1", "opportunity_repeated") in codes(folder)
    assert deal("W1").value.minor == 50_000


def test_a_name_in_another_spelling_is_the_same_agent(verifier: User, tmp_path: Path) -> None:
    folder = book(
        tmp_path / "book",
        teams=[
            *TEAMS,
            ("AMARA OKORO", "Noor Nasser", "South"),
            ("Dee", "mina manager", "North"),
        ],
        deals=changed("W1", agent="amara okoro"),
    )

    run_import(folder)

    assert {
        ("AMARA OKORO", "agent_repeated"),
        ("Dee", "manager_respelt"),
        ("W1", "sales_agent_respelt"),
    } <= codes(folder)
    assert User.objects.filter(full_name__iexact="amara okoro").count() == 1
    assert Team.objects.filter(name__istartswith="mina manager").count() == 1


def test_accounts_in_a_circle_and_unknown_parents_stand_alone(
    verifier: User, tmp_path: Path
) -> None:
    folder = book(
        tmp_path / "book",
        accounts=[
            *ACCOUNTS,
            ("Hen", "", "", "Egg"),
            ("Egg", "", "", "Hen"),
            ("Orphan", "", "", "Nowhere"),
            ("Lone Ltd", "again", "", ""),
            ("", "nameless", "", ""),
        ],
    )

    run_import(folder)

    assert {
        ("Hen", "parent_left_out"),
        ("Egg", "parent_left_out"),
        ("Orphan", "parent_left_out"),
        ("Lone Ltd", "account_repeated"),
        ("", "name_missing"),
    } <= codes(folder)
    assert Party.objects.filter(name__in=("Hen", "Egg", "Orphan"), parent=None).count() == 3


def test_an_account_that_only_a_deal_names_becomes_a_client(verifier: User, tmp_path: Path) -> None:
    folder = book(tmp_path / "book", deals=changed("W1", account="Surprise Ltd"))

    run_import(folder)

    assert ("W1", "client_made") in codes(folder)
    assert deal("W1").client is not None
    assert Party.objects.filter(name="Surprise Ltd").count() == 1


def test_two_spellings_of_such_an_account_are_one_client(verifier: User, tmp_path: Path) -> None:
    rows = changed("W1", account="Surprise Ltd")
    rows = [(*row[:3], "SURPRISE LTD.", *row[4:]) if row[0] == "W2" else row for row in rows]

    run_import(book(tmp_path / "book", deals=rows))

    assert deal("W1").client_id == deal("W2").client_id
    assert {("W1", "client_made"), ("W2", "account_respelt")} <= codes(tmp_path / "book")


def test_a_refused_row_leaves_no_client_behind(verifier: User, tmp_path: Path) -> None:
    folder = book(tmp_path / "book", deals=changed("W1", account="Surprise Ltd", agent="Nobody"))

    run_import(folder)

    assert not Party.objects.filter(name="Surprise Ltd").exists()


def test_products_with_equal_codes_or_bad_prices(verifier: User, tmp_path: Path) -> None:
    folder = book(
        tmp_path / "book",
        products=[
            *PRODUCTS,
            ("mega pump", "Pump", "1"),
            ("Priceless", "", ""),
            ("Too fine", "", "1.001"),
            ("Mega Pump", "", "3"),
            ("Cheap", "", "0"),
        ],
    )

    run_import(folder)

    assert {
        ("Priceless", "amount_malformed"),
        ("Too fine", "amount_too_fine"),
        ("Mega Pump", "product_repeated"),
    } <= codes(folder)
    made = Product.objects.filter(name__in=("Mega Pump", "mega pump", "Cheap"))
    assert made.values("code").distinct().count() == 3


def test_a_spreadsheet_takes_no_cell_of_the_report_for_a_formula(
    verifier: User, tmp_path: Path
) -> None:
    evil = '=HYPERLINK("http://evil.example";"x")'
    rows = [(f"{sign}{evil}", "Nobody", *DEALS[0][2:]) for sign in ("", "+", "-", "@")]
    folder = book(tmp_path / "book", deals=[*DEALS, *rows])

    run_import(folder)

    cells = [cell for row in reported(folder) for cell in row.values()]
    assert sum(evil in cell for cell in cells) == 4
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_each_finding_is_kept(verifier: User, folder: Path) -> None:
    run = run_import(folder)

    assert ImportFinding.objects.filter(run=run).count() == len(reported(folder)) == 3
