"""Credits that are counted later, as the people of an organization see them."""

from typing import Any
from uuid import uuid4

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.access.models import RolePermission
from tenant_apps.ledger.models import Account, DeferredCredit
from tenant_apps.ledger.services import post
from tests.cast import Cast, cast
from tests.ledger.conftest import posting
from tests.ledger.later import account_of, counted

__all__ = ["cast"]


@pytest.fixture
def ada(cast: Cast) -> Any:
    return cast.api("ada")


def line(code: str) -> Account:
    found: Account = Account.objects.chart().get(code=code)
    return found


def test_in_the_standard_chart_revenue_and_tax_are_counted_later(ada: Any) -> None:
    lines = ada.get("ledger/accounts/?page_size=100").json()["results"]
    assert {row["code"] for row in lines if row["deferred"]} == {"4000", "2100"}


def test_an_admin_marks_a_line_of_the_chart(ada: Any) -> None:
    address = f"ledger/accounts/{line('4900').id}/deferral/"
    marked = ada.post(address, {"deferred": True})
    assert (marked.status_code, marked.json()["deferred"]) == (201, True)
    assert ada.post(address, {"deferred": True}).json()["deferred"] is True
    assert ada.post(address, {"deferred": False}).json()["deferred"] is False
    assert ada.post(address, {}).status_code == 400
    assert ada.post(address, {"deferred": "perhaps"}).status_code == 400


def test_not_where_somebody_decides_by_the_balance(ada: Any) -> None:
    for code in ("2000", "1200"):
        refused = ada.post(f"ledger/accounts/{line(code).id}/deferral/", {"deferred": True})
        assert (refused.status_code, refused.json()["code"]) == (422, "account_not_deferrable")
        assert not line(code).deferred


def test_a_supervisor_may_not(cast: Cast) -> None:
    address = f"ledger/accounts/{line('4900').id}/deferral/"
    assert cast.api("sam").post(address, {"deferred": True}).status_code in {403, 404}
    assert not line("4900").deferred


def test_for_whoever_may_not_see_the_account_nothing_is_counted(cast: Cast) -> None:
    """Sam sees accounts of his own unit, and revenue belongs to none."""
    sales = [posting("invoice.issued", net="3.00", tax="0.50", party=uuid4())]
    post(postings=sales, actor=system_actor("test"))
    held = RolePermission.objects.filter(
        role__code="supervisor", permission__codename="view_account"
    )
    assert held.update(scope="own") == 1
    refused = cast.api("sam").get(f"ledger/accounts/{account_of('4000')}/statement/")
    assert refused.status_code == 404
    assert DeferredCredit.objects.count() == 2


def test_the_account_tells_what_it_holds_and_its_statement_counts_first(ada: Any) -> None:
    sales = [posting("invoice.issued", net="3.00", tax="0.50", party=uuid4()) for _ in range(2)]
    post(postings=sales, actor=system_actor("test"))
    account = account_of("4000")
    assert ada.get(f"ledger/accounts/{account}/").json()["balance"]["amount"] == "6.00"
    books = ada.get("ledger/trial-balance/").json()
    (revenue,) = [row for row in books["rows"] if row["code"] == "4000"]
    assert revenue["credit"]["amount"] == "6.00"
    assert books["totals"][0]["difference"]["amount"] == "0.00"
    journal = ada.get(f"ledger/journals/?source_id={sales[0].source_id}").json()["results"][0]
    assert [leg["credit_balance"] for leg in journal["legs"]] == [None, None]
    assert counted("4000") == (0, 0)

    page = ada.get(f"ledger/accounts/{account}/statement/").json()["results"]
    assert [(row["version"], row["balance"]["amount"]) for row in page] == [
        (2, "6.00"),
        (1, "3.00"),
    ]
    assert not DeferredCredit.objects.filter(account_id=account).exists()
    assert DeferredCredit.objects.count() == 2
    dated = ada.get(f"ledger/accounts/{account}/statement/?as_of=2026-12-01").json()
    assert [row["balance"]["amount"] for row in dated["results"]] == ["6.00", "3.00"]
