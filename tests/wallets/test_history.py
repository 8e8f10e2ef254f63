"""What happened to a wallet: rows with resulting balances, filters, statements."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest

from shared_apps.documents import pdf
from shared_apps.kernel import clock
from tenant_apps.wallets import errors, statements
from tests.cast import Caller
from tests.wallets.stories import Market, allow_transfers, credit, transfer


@pytest.fixture
def busy(market: Market) -> Market:
    credit(market, "100.00")
    allow_transfers(market)
    transfer(market, "30.00")
    credit(market, "5.00")
    transfer(market, "1.00", of="seth", to="sita")
    return market


def rows(api: Caller, market: Market, query: str = "") -> list[tuple[str, str, str]]:
    answer = api.get(f"wallets/{market.wallets['sita'].pk}/history/{query}")
    assert answer.status_code == 200, answer.json()
    return [
        (row["type"], row["amount"]["amount"], row["balance"]["amount"])
        for row in answer.json()["results"]
    ]


def test_each_row_has_its_resulting_balance(busy: Market) -> None:
    assert rows(busy.api("sita"), busy) == [
        ("transfer_in", "1.00", "76.00"),
        ("deposit", "5.00", "75.00"),
        ("transfer_out", "-30.00", "70.00"),
        ("deposit", "100.00", "100.00"),
    ]


@pytest.mark.parametrize(
    ("query", "amounts"),
    [
        ("?type=deposit", ["5.00", "100.00"]),
        ("?type=transfer_out", ["-30.00"]),
        ("?amount_from=5.00&amount_to=30.00", ["5.00", "-30.00"]),
        ("?day_from=2199-01-01", []),
        ("?day_to=2020-01-01", []),
        ("?day_from=2020-01-01&day_to=2199-01-01&type=transfer_in", ["1.00"]),
    ],
)
def test_is_narrowed(busy: Market, query: str, amounts: list[str]) -> None:
    assert [amount for _, amount, _ in rows(busy.api("sita"), busy, query)] == amounts


@pytest.mark.parametrize("query", ["?type=x", "?amount_from=1e3", "?day_from=x", "?surprise=1"])
def test_refuses_filters_that_mean_nothing(busy: Market, query: str) -> None:
    path = f"wallets/{busy.wallets['sita'].pk}/history/{query}"
    assert busy.api("sita").get(path).status_code == 400


def test_tells_who_did_it(busy: Market) -> None:
    path = f"wallets/{busy.wallets['sita'].pk}/history/?type=deposit"
    first = busy.api("sita").get(path).json()["results"][0]
    assert first["user"] == str(busy.people["wanda"].pk)


def test_is_paged_with_as_many_queries_for_one_row_as_for_many(busy: Market) -> None:
    api = busy.api("sita")
    path = f"wallets/{busy.wallets['sita'].pk}/history/"
    api.get(path)
    one = api.get(f"{path}?page_size=1")
    few = len(api.statements)
    assert one.json()["next"]
    api.get(path)
    assert len(api.statements) == few


def test_belongs_to_its_seller(busy: Market) -> None:
    for path in ("history/", "statement/csv/", "statement/pdf/"):
        answer = busy.api("seth").get(f"wallets/{busy.wallets['sita'].pk}/{path}")
        assert answer.status_code == 404


def test_an_unused_wallet_has_no_history(market: Market) -> None:
    assert rows(market.api("sita"), market) == []


def test_statement_as_csv(busy: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "ROWS_AT_ONCE", 2)
    period = statements.Period(first=date(2020, 1, 1))
    lines = list(statements.csv_rows(wallet=busy.wallet("sita"), period=period))
    read = list(csv.DictReader(io.StringIO("\n".join(",".join(line) for line in lines))))
    assert [(row["type"], row["amount"], row["balance"]) for row in read] == [
        ("deposit", "100.00", "100.00"),
        ("transfer_out", "-30.00", "70.00"),
        ("deposit", "5.00", "75.00"),
        ("transfer_in", "1.00", "76.00"),
    ]


def test_statement_as_pdf(busy: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"wallets/{busy.wallets['sita'].pk}/statement/pdf/"
    answer = busy.api("sita").get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    monkeypatch.setattr(statements, "ROWS_OF_A_DOCUMENT", 3)
    with pytest.raises(errors.StatementTooLong):
        statements.printed(wallet=busy.wallet("sita"), period=statements.Period())


def test_a_statement_of_quiet_days_shows_the_balance(
    busy: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: dict[str, Any] = {}
    monkeypatch.setattr(pdf, "render", lambda _, data, **__: shown.update(data) or b"")
    wallet, today = busy.wallet("sita"), clock.today("Africa/Nairobi")
    held = wallet.balance.to_string()
    tomorrow = today + timedelta(days=1)
    statements.printed(wallet=wallet, period=statements.Period(first=tomorrow, last=tomorrow))
    assert (shown["lines"], shown["opening"], shown["closing"]) == ([], held, held)
    statements.printed(wallet=wallet, period=statements.Period(last=date(2020, 1, 1)))
    assert (shown["opening"], shown["closing"]) == ("0.00", "0.00")
    statements.printed(wallet=wallet, period=statements.Period())
    assert (shown["first"], shown["last"], shown["closing"]) == (today, today, held)
