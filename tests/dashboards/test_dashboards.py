"""Dashboards: figures kept ready, equal to a recount at any moment."""

from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from tenant_apps.dashboards import services
from tenant_apps.dashboards.models import Rollup
from tenant_apps.dashboards.recounting import differences
from tenant_apps.dashboards.services import repair_rollup
from tenant_apps.deals.services import assign_deals
from tenant_apps.products.models import Product
from tenant_apps.teams import services as teams
from tenants.context import platform_context
from tests.cast import Cast
from tests.payments.stories import (
    a_client,
    a_payment,
    a_verified_payment,
    a_won_deal,
    an_open_deal,
    kes,
)


def money(amount: str, currency: str = "KES") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def by_name(rows: list[dict[str, Any]]) -> dict[str, tuple[int, str]]:
    return {row["name"]: (row["won_count"], row["won"]["amount"]) for row in rows}


@pytest.fixture
def business(cast: Cast) -> Cast:
    """Two offices: North with Olga under Lea, South with Oscar; deals in two quarters."""
    office = teams.create_team(actor=cast.system, name="East", parent_id=None, lead_id=None)
    team = teams.create_team(
        actor=cast.system, name="Harbour", parent_id=office.pk, lead_id=cast.user("lea").pk
    )
    solar = Product.objects.create(code="S1", name="Solar", list_price_minor=0, currency="KES")
    client = a_client(cast, name="Ziwa Limited")
    for closed_on, value, agent in (
        (date(2026, 1, 10), "100.00", "olga"),
        (date(2026, 2, 10), "200.00", "olga"),
        (date(2026, 5, 10), "400.00", "oscar"),
    ):
        deal = a_won_deal(
            cast,
            owner=agent,
            unit_id=team.unit_id,
            closed_on=closed_on,
            value=kes(value),
            client_id=client.pk,
            product_id=solar.pk,
        )
        a_verified_payment(cast, deal, kes("50.00"), paid_on=closed_on, by=agent)
    return cast


class TestRollup:
    def test_equals_a_recount(self, business: Cast) -> None:
        assert Rollup.objects.exists()
        assert differences() == []

    def test_follows_an_open_deal_to_another_owner(self, cast: Cast) -> None:
        deal = an_open_deal(cast)
        a_verified_payment(cast, deal, kes("70.00"))
        assign_deals(actor=cast.system, deal_ids=[deal.pk], owner_id=cast.user("oscar").pk)
        assert differences() == []
        figures = cast.api("oscar").get("dashboards/sales/").json()
        assert figures["totals"][0]["collected"] == money("70.00")
        theirs = cast.api("olga").get("dashboards/sales/").json()
        assert theirs["totals"][0]["collected"] == money("0.00")

    def test_the_command_says_what_differs(self, business: Cast, tenant: Any) -> None:
        said = StringIO()
        call_command("recount", "--organization", "acme", stdout=said)
        assert "no differences" in said.getvalue()
        Rollup.objects.filter(dimension="agent", grain="all").update(won_minor=1)
        with pytest.raises(CommandError, match="not what the facts give"):
            call_command("recount", "--organization", "acme", stdout=said)

    def test_the_command_puts_right_what_differs(self, business: Cast) -> None:
        Rollup.objects.filter(dimension="agent", grain="all").update(won_minor=1)
        Rollup.objects.filter(grain="quarter").delete()
        said = StringIO()
        call_command("recount", "--organization", "acme", "--repair", stdout=said)
        assert "were put right" in said.getvalue()
        call_command("recount", "--organization", "acme", stdout=said)
        assert "acme: no differences" in said.getvalue().lower().replace("acme trading", "acme")
        assert differences() == []

    @pytest.mark.parametrize("start", [(4, 6), (7, 1), (11, 28)])
    def test_figures_of_another_fiscal_year_are_put_right(
        self, cast: Cast, tenant: Any, start: tuple[int, int]
    ) -> None:
        """Counted by the calendar's quarters and years once, by fiscal ones since."""
        for month, day in ((1, 1), (4, 5), (4, 6), (11, 27), (11, 28), (12, 31)):
            a_won_deal(cast, closed_on=date(2025, month, day))
        a_verified_payment(cast, a_won_deal(cast), kes("70.00"))
        tenant.fiscal_year_start_month, tenant.fiscal_year_start_day = start
        a_won_deal(cast, closed_on=date(2025, 5, 1))
        mixed = differences()
        assert {one.key.grain for one in mixed} == {"quarter", "year"}
        assert repair_rollup(actor=cast.system) == mixed
        assert differences() == []
        (entry,) = AuditEntry.objects.filter(event_name="dashboards.rollup_repaired")
        assert entry.payload["rows"] == len(mixed)
        a_won_deal(cast, closed_on=date(2025, 5, 2))
        assert repair_rollup(actor=cast.system) == []

    def test_what_is_counted_during_a_repair_stays_counted(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_won_deal(cast)
        Rollup.objects.filter(grain="all").update(won_count=7)
        recount = services.differences

        def late() -> Any:
            found = recount()
            a_won_deal(cast)
            return found

        monkeypatch.setattr(services, "differences", late)
        repair_rollup(actor=cast.system)
        assert differences() == []

    def test_the_command_does_not_know_strangers(self, cast: Cast) -> None:
        with pytest.raises(CommandError, match="Nobody answers"):
            call_command("recount", "--organization", "nobody")


class TestSales:
    def test_shows_the_own_figures_by_period(self, business: Cast) -> None:
        with clock.frozen(clock.start_of_day(date(2026, 6, 15), "UTC")):
            answer = business.api("olga").get("dashboards/sales/?each=quarter&last=4")
        assert answer.status_code == 200, answer.json()
        shown = answer.json()
        total = shown["totals"][0]
        assert (total["won_count"], total["won"]) == (2, money("300.00"))
        assert (total["collected_count"], total["collected"]) == (2, money("100.00"))
        assert total["commission"] == money("5.00")
        assert [(row["period"], row["won"]["amount"]) for row in shown["by_period"]] == [
            ("2026-Q1", "300.00")
        ]

    @pytest.mark.parametrize(
        ("name", "agent", "status"),
        [
            ("olga", "oscar", 404),
            ("paul", "olga", 404),
            ("lea", "olga", 200),
            ("lea", "oscar", 404),
            ("sam", "olga", 200),
            ("ada", "oscar", 200),
            ("vera", "olga", 403),
        ],
    )
    def test_of_another_are_for_those_above(
        self, cast: Cast, name: str, agent: str, status: int
    ) -> None:
        answer = cast.api(name).get(f"dashboards/sales/?agent={cast.user(agent).pk}")
        assert answer.status_code == status, answer.json()

    @pytest.mark.parametrize("query", ["each=week", "last=0", "last=99", "agent=x", "colour=red"])
    def test_refuses_what_it_does_not_know(self, cast: Cast, query: str) -> None:
        assert cast.api("olga").get(f"dashboards/sales/?{query}").status_code == 400


class TestVerification:
    def test_shows_the_queue_by_method(self, cast: Cast) -> None:
        deal = an_open_deal(cast)
        a_payment(cast, deal, kes("10.00"))
        a_payment(cast, deal, kes("15.00"))
        a_payment(cast, deal, kes("7.00"), method="card")
        a_verified_payment(cast, deal, kes("99.00"), method="cheque")
        answer = cast.api("vera").get("dashboards/verification/")
        assert answer.status_code == 200, answer.json()
        shown = answer.json()
        assert shown["queue"]["number"] == 3
        assert shown["queue"]["by_method"] == [
            {"method": "card", "number": 1, "amount": money("7.00")},
            {"method": "cash", "number": 2, "amount": money("25.00")},
        ]
        assert [row["subject"] for row in shown["collected_ever"]] == ["cheque"]

    def test_is_empty_without_payments(self, cast: Cast) -> None:
        shown = cast.api("vera").get("dashboards/verification/").json()
        assert (shown["queue"]["number"], shown["queue"]["oldest_at"]) == (0, None)

    @pytest.mark.parametrize("name", ["olga", "lea"])
    def test_is_not_for_salespeople(self, cast: Cast, name: str) -> None:
        assert cast.api(name).get("dashboards/verification/").status_code == 403


class TestSummary:
    def test_breaks_the_organization_down(self, business: Cast) -> None:
        answer = business.api("sam").get("dashboards/summary/")
        assert answer.status_code == 200, answer.json()
        shown = answer.json()
        assert by_name(shown["totals"]) == {"Acme Trading": (3, "700.00")}
        assert by_name(shown["by_agent"]) == {"Oscar": (1, "400.00"), "Olga": (2, "300.00")}
        assert by_name(shown["by_team"]) == {"Harbour": (3, "700.00")}
        assert by_name(shown["by_manager"]) == {"Lea": (3, "700.00")}
        assert by_name(shown["by_office"]) == {"East": (3, "700.00")}
        assert by_name(shown["by_client"]) == {"Ziwa Limited": (3, "700.00")}
        assert by_name(shown["by_product"]) == {"Solar": (3, "700.00")}
        quarters = {row["period"]: row["won_count"] for row in shown["by_quarter"]}
        assert quarters == {"2026-Q1": 2, "2026-Q2": 1}
        assert shown["by_method"][0]["collected"] == money("150.00")
        assert shown["shortened"] == []

    def test_of_a_quarter(self, business: Cast) -> None:
        shown = business.api("sam").get("dashboards/summary/?period=2026-Q2").json()
        assert by_name(shown["by_agent"]) == {"Oscar": (1, "400.00")}
        assert by_name(shown["by_office"]) == {"East": (1, "400.00")}

    def test_follows_the_start_of_the_fiscal_year(self, cast: Cast, tenant: Any) -> None:
        tenant.fiscal_year_start_month, tenant.fiscal_year_start_day = 4, 6
        with platform_context(reason="test"):
            tenant.save(update_fields=["fiscal_year_start_month", "fiscal_year_start_day"])
        for closed_on, value in (
            (date(2026, 1, 5), "1.00"),
            (date(2026, 4, 5), "10.00"),
            (date(2026, 4, 6), "100.00"),
        ):
            a_won_deal(cast, closed_on=closed_on, value=kes(value))
        sam = cast.api("sam")
        shown = sam.get("dashboards/summary/").json()
        quarters = {row["period"]: row["won"]["amount"] for row in shown["by_quarter"]}
        assert quarters == {"2026-Q3": "1.00", "2026-Q4": "10.00", "2027-Q1": "100.00"}
        shown = sam.get("dashboards/summary/?period=2026").json()
        assert shown["totals"][0]["won"] == money("11.00")
        assert {row["period"] for row in shown["by_quarter"]} == {"2026-Q3", "2026-Q4"}
        for month, won, within in (
            ("2026-04", [money("110.00")], {"2026-Q3", "2026-Q4"}),
            ("2026-05", [], {"2027-Q1"}),
        ):
            shown = sam.get(f"dashboards/summary/?period={month}").json()
            assert [row["won"] for row in shown["totals"]] == won
            assert {row["period"] for row in shown["by_quarter"]} == within
        with clock.frozen(clock.start_of_day(date(2026, 4, 6), "UTC")):
            figures = cast.api("olga").get("dashboards/sales/?each=year&last=1").json()
        assert [row["period"] for row in figures["by_period"]] == ["2027"]
        assert differences() == []

    def test_of_a_year_that_never_was(self, business: Cast) -> None:
        answer = business.api("sam").get("dashboards/summary/?period=0000-01")
        assert (answer.status_code, answer.json()["totals"]) == (200, [])

    def test_costs_the_same_statements_however_long_the_history(self, business: Cast) -> None:
        sam = business.api("sam")
        sam.get("dashboards/summary/")
        sam.get("dashboards/summary/")
        before = len(sam.statements)
        for month in range(1, 13):
            deal = a_won_deal(business, owner="paul", closed_on=date(2025, month, 1))
            a_verified_payment(business, deal, kes("1.00"), paid_on=date(2025, month, 1), by="paul")
        assert sam.get("dashboards/summary/").status_code == 200
        assert len(sam.statements) == before

    @pytest.mark.parametrize("name", ["olga", "lea", "vera"])
    def test_is_for_those_who_reach_all(self, cast: Cast, name: str) -> None:
        assert cast.api(name).get("dashboards/summary/").status_code == 403
        assert cast.api(name).get("dashboards/figures/?by=agent").status_code == 403

    @pytest.mark.parametrize("period", ["2026-Q5", "never", "2026-13", "'"])
    def test_refuses_what_is_no_period(self, cast: Cast, period: str) -> None:
        assert cast.api("sam").get(f"dashboards/summary/?period={period}").status_code == 400


class TestFigures:
    def test_pages_through_all_rows(self, business: Cast) -> None:
        sam = business.api("sam")
        first = sam.get("dashboards/figures/?by=agent&each=quarter&page_size=1").json()
        assert first["results"][0]["name"] == "Oscar"
        second = sam.get(first["next"].partition(".test")[2]).json()
        assert (second["results"][0]["name"], second["results"][0]["period"]) == (
            "Olga",
            "2026-Q1",
        )
        assert second["results"][0]["won_count"] == 2
        assert second["next"] is None

    @pytest.mark.parametrize(
        ("ordering", "periods"),
        [
            ("", ["2026-05", "2026-02", "2026-01"]),
            ("&ordering=-period", ["2026-05", "2026-02", "2026-01"]),
            ("&ordering=period", ["2026-01", "2026-02", "2026-05"]),
        ],
    )
    def test_many_periods_go_by_period(
        self, business: Cast, ordering: str, periods: list[str]
    ) -> None:
        sam = business.api("sam")
        page = f"/api/v1/dashboards/figures/?by=agent&each=month&page_size=1{ordering}"
        seen = []
        while page:
            shown = sam.get(page).json()
            seen += [row["period"] for row in shown["results"]]
            page = (shown["next"] or "").replace("http://acme.kontor.test", "")
        assert seen == periods

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ("by=client&each=month&ordering=-won", 400),
            ("by=agent&each=year&ordering=collected", 400),
            ("by=agent&each=month&ordering=period,won", 400),
            ("by=agent&each=month&period=&ordering=won", 400),
            ("by=agent&each=month&subject=&ordering=won", 400),
            ("by=client&each=month&period=2026-05&ordering=-won", 200),
            ("by=client&period=2026-05&ordering=-commission", 200),
            ("by=agent&each=all&ordering=-won", 200),
            ("by=agent&ordering=won", 200),
            ("by=organization&each=month&ordering=-won", 200),
        ],
    )
    def test_amounts_order_one_period_or_one_subject(
        self, business: Cast, query: str, status: int
    ) -> None:
        answer = business.api("sam").get(f"dashboards/figures/?{query}")
        assert answer.status_code == status, answer.json()

    def test_amounts_order_the_periods_of_one_subject(self, business: Cast) -> None:
        query = f"by=agent&each=month&ordering=won&subject={business.user('olga').pk}"
        rows = business.api("sam").get(f"dashboards/figures/?{query}").json()["results"]
        assert [row["period"] for row in rows] == ["2026-01", "2026-02"]

    def test_shows_all_time_unless_asked_otherwise(self, business: Cast) -> None:
        rows = business.api("sam").get("dashboards/figures/?by=agent").json()["results"]
        assert {row["period"] for row in rows} == {"all"}

    @pytest.mark.parametrize(
        "query",
        ["", "by=colour", "by=agent&each=week", "by=agent&ordering=name", "by=agent&period='"],
    )
    def test_refuses_what_it_does_not_know(self, cast: Cast, query: str) -> None:
        assert cast.api("sam").get(f"dashboards/figures/?{query}").status_code == 400

    @pytest.mark.parametrize("by", ["organization", "agent", "team", "client", "product", "method"])
    def test_costs_the_same_statements_for_one_row_and_for_twenty(
        self, cast: Cast, by: str
    ) -> None:
        sam = cast.api("sam")
        path = f"dashboards/figures/?by={by}&each=month"
        counts = []
        for months in (1, 12):
            for month in range(1, months + 1):
                deal = a_won_deal(cast, closed_on=date(2025, month, 1))
                a_verified_payment(cast, deal, kes("1.00"), paid_on=date(2025, month, 1))
            sam.get(path)
            assert sam.get(path).status_code == 200
            counts.append(len(sam.statements))
        assert counts[0] == counts[1]
