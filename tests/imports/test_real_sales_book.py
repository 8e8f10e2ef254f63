"""The main job on a real sales book, whose figures somebody else has reckoned."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tenant_apps.commissions.models import Commission, CommissionPlan
from tenant_apps.deals.models import Deal
from tenant_apps.imports.models import ImportFinding, ImportRun
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.payments.models import Payment
from tests.imports.books import VERIFIER, checksums, make_verifier
from tests.people import client_of, make_person

# The book spells one of its products in two ways; ours is that of its list.
RESPELT = {"GTXPro": "GTX Pro"}
QUARTERS = ("2017-Q1", "2017-Q2", "2017-Q3", "2017-Q4")


@pytest.fixture
def source(trial_data: Path) -> Path:
    return trial_data / "data" / "crm" / "maven_crm"


def expected(part: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[int, str]]:
    """Count and value by name, as our answers say them."""
    return {
        RESPELT.get(name, name): (row["won"], f"{Decimal(row['value']):.2f}")
        for name, row in part.items()
    }


def shown(rows: Iterable[Mapping[str, Any]], *, name: str = "name") -> dict[str, tuple[int, str]]:
    rows = list(rows)
    assert len({row[name] for row in rows}) == len(rows)
    return {row[name]: (row["won_count"], row["won"]["amount"]) for row in rows}


def importing(source: Path, report: Path) -> ImportRun:
    call_command(
        "import_sales_book",
        str(source),
        organization="acme",
        verifier=VERIFIER,
        report=str(report),
    )
    return ImportRun.objects.latest("created_at")


@pytest.mark.slow
def test_the_figures_are_those_of_the_book(tenant: Any, source: Path, tmp_path: Path) -> None:
    answers = json.loads((source / "expected.json").read_text(encoding="utf-8"))
    make_verifier()
    supervisor = client_of(make_person("Sue Supervisor", role="supervisor"))

    run = importing(source, tmp_path / "report.csv")

    assert run.counts["recorded"] == answers["rows"] == Deal.objects.count()
    assert run.counts["refused"] == 0
    stages = {
        stage: Deal.objects.filter(stage=stage.lower()).count() for stage in answers["by_stage"]
    }
    assert stages == answers["by_stage"]
    _check_summaries(supervisor, answers)
    _check_books(answers)
    _check_report(tmp_path / "report.csv", source)

    before = checksums(tenant.schema_name)
    again = importing(source, tmp_path / "again.csv")
    assert again.counts == {
        "recorded": 0,
        "unchanged": answers["rows"],
        "mended": 0,
        "refused": 0,
    }
    after = checksums(tenant.schema_name)
    told = {"audit_entry", "outbox_message"}
    assert {name for name in before if before[name] != after[name]} <= told


def _check_summaries(supervisor: Any, answers: Mapping[str, Any]) -> None:
    def summary(period: str) -> Any:
        response = supervisor.get(f"/api/v1/dashboards/summary/?period={period}")
        assert response.status_code == 200
        return response.json()

    ever = summary("all")
    (total,) = ever["totals"]
    assert total["won"]["amount"] == f"{Decimal(answers['won_value_total']):.2f}"
    assert total["won"] == total["collected"]
    for ours, theirs in (
        ("by_agent", "won_by_agent"),
        ("by_manager", "won_by_manager"),
        ("by_office", "won_by_office"),
        ("by_client", "won_by_account"),
        ("by_product", "won_by_product"),
    ):
        assert shown(ever[ours]) == expected(answers[theirs]), ours
    by_quarter = shown(ever["by_quarter"], name="period")
    assert by_quarter == expected(answers["won_by_close_quarter"])
    by_agent_and_quarter = {
        f"{agent}|{quarter}": figures
        for quarter in QUARTERS
        for agent, figures in shown(summary(quarter)["by_agent"]).items()
    }
    assert by_agent_and_quarter == expected(answers["won_by_agent_and_quarter"])


def _check_books(answers: Mapping[str, Any]) -> None:
    call_command("verify_books", organization="acme")
    (total,) = trial_balance().totals
    assert total.difference.minor == 0
    assert total.debit.minor > 0
    payments = Payment.objects.verified()
    assert payments.count() == answers["by_stage"]["Won"]
    assert sum(payment.amount_minor for payment in payments) == 100 * int(
        answers["won_value_total"]
    )
    # There is no tax in the book: the plan's percentage of each payment, rounded half to even.
    percent = CommissionPlan.objects.get().percent
    reckoned = sum(
        int((payment.amount_minor * percent / 100).to_integral_value("ROUND_HALF_EVEN"))
        for payment in payments
    )
    assert reckoned == sum(row.amount_minor or 0 for row in Commission.objects.all())


def _check_report(path: Path, source: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    pipeline = (source / "sales_pipeline.csv").read_text(encoding="utf-8").splitlines()[1:]
    respelt = [line for line in pipeline if ",GTXPro," in line]
    nameless = [line for line in pipeline if line.split(",")[3] == ""]
    counted = {
        code: ImportFinding.objects.filter(code=code).count()
        for code in ("product_respelt", "client_left_open")
    }
    assert counted == {"product_respelt": len(respelt), "client_left_open": len(nameless)}
    assert len(lines) == len(respelt) + len(nameless)
