"""What an import makes of small books of our own."""

from pathlib import Path
from typing import Any

from django.core import mail

from shared_apps.access.models import Membership
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail
from shared_apps.documents.models import Document
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.commissions.models import Commission
from tenant_apps.deals.models import Deal
from tenant_apps.imports.models import ImportState
from tenant_apps.invoices.models import Invoice
from tenant_apps.parties.models import Party
from tenant_apps.payments.models import Method, Payment, PaymentState
from tenant_apps.products.models import Product
from tenant_apps.teams.models import Team
from tenant_apps.usage.models import QuotaBypass
from tests.imports.books import (
    DEALS,
    deal,
    run_import,
)


def test_people_and_teams(verifier: User, folder: Path) -> None:
    run_import(folder)

    teams = {team.name: team for team in Team.objects.select_related("parent", "lead")}
    assert set(teams) == {
        "North",
        "South",
        "Mina Manager (North)",
        "Noor Nasser (South)",
    }
    mina = teams["Mina Manager (North)"]
    assert mina.parent == teams["North"]
    assert mina.lead is not None
    assert mina.lead.full_name == "Mina Manager"
    roles = {
        (row.user.full_name, row.role.code)
        for row in Membership.objects.active().filter(unit=mina.unit).select_related("user", "role")
    }
    assert roles == {
        ("Mina Manager", "team_lead"),
        ("Amara Okoro", "salesperson"),
        ("Bela Bartos", "salesperson"),
    }
    assert not User.objects.get(full_name="Amara Okoro").has_usable_password()


def test_clients_and_products(verifier: User, folder: Path) -> None:
    run_import(folder)

    clients = {row.name: row for row in Party.objects.filter(external_source="sales_book")}
    assert set(clients) == {"Mother Ltd", "Daughter Ltd", "Lone Ltd"}
    assert clients["Daughter Ltd"].parent_id == clients["Mother Ltd"].id
    pump = Product.objects.get(name="Mega Pump")
    assert (pump.code, str(pump.list_price)) == ("MEGA-PUMP", "KES 1096.50")


def test_deals_in_their_stages(verifier: User, folder: Path) -> None:
    run = run_import(folder)

    assert {row.external_reference: row.stage for row in Deal.objects.all()} == {
        row[0]: row[4].lower() for row in DEALS
    }
    won = deal("W2")
    assert (str(won.engaged_on), str(won.closed_on)) == ("2025-02-05", "2025-05-02")
    assert won.value.minor == 100_050
    assert won.owner.full_name == "Amara Okoro"
    assert deal("E2").client_id is None
    assert run.counts == {"recorded": 7, "unchanged": 0, "mended": 3, "refused": 0}
    assert run.state == ImportState.FINISHED


def test_a_won_deal_is_invoiced_paid_and_earns_commission(verifier: User, folder: Path) -> None:
    run_import(folder)

    invoice = Invoice.objects.get(deal=deal("W2"))
    payment = Payment.objects.get(deal=deal("W2"))
    commission = Commission.objects.get(deal=deal("W2"))
    assert str(invoice.issued_on) == str(payment.effective_on) == "2025-05-02"
    assert (invoice.total_minor, invoice.outstanding_minor) == (100_050, 0)
    assert (payment.state, payment.method) == (PaymentState.VERIFIED, Method.BANK_TRANSFER)
    assert payment.decided_by_id == verifier.pk
    assert payment.created_by_id == deal("W2").owner_id
    assert commission.amount_minor == 5002
    assert Invoice.objects.count() == 3
    numbers = Invoice.objects.order_by("issued_on").values_list("sequence", flat=True)
    assert list(numbers) == [1, 2, 3]


def test_it_is_quiet(verifier: User, folder: Path) -> None:
    OutboxMessage.objects.all().delete()
    mails = Mail.objects.count()

    run_import(folder)

    assert OutboxMessage.objects.exists()
    assert not OutboxMessage.objects.filter(relayed_at=None).exists()
    assert Mail.objects.count() == mails
    assert mail.outbox == []
    assert not Document.objects.exists()


def test_the_act_is_audited(verifier: User, folder: Path) -> None:
    run = run_import(folder)

    entry = AuditEntry.objects.get(event_name="imports.sales_book_imported")
    assert entry.subject_id == run.pk
    assert entry.payload["recorded"] == 7
    assert AuditEntry.objects.filter(event_name="deals.deal_recorded").count() == len(DEALS)


def test_quotas_are_passed_and_it_is_recorded(tenant: Any, verifier: User, folder: Path) -> None:
    tenant.entitlements = {"quotas": {"users": 2, "deals_per_month": 3}, "features": []}

    run_import(folder)

    bypasses = QuotaBypass.objects.all()
    assert {(row.name, row.amount) for row in bypasses} == {
        ("users", 5),
        ("deals_per_month", 7),
    }
    assert all("sales book" in row.reason for row in bypasses)
