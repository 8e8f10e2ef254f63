"""One of everything in Acme, and for each route of the API the ids and the body that it takes.

Olga owns the deal, in team North which Lea leads and Paul works in; Oscar sells in team South;
Nils is signed in and holds no role; the stranger is not signed in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from PIL import Image

from shared_apps.access import services as access
from shared_apps.access.models import Membership
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.documents.models import Document
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.seals.models import Segment
from shared_apps.seals.services import seal_chains
from tenant_apps.approvals.models import Approval
from tenant_apps.commissions.models import Commission, CommissionPlan
from tenant_apps.deals.models import Activity, StageChange
from tenant_apps.deals.services import note_activity
from tenant_apps.invoices.models import Invoice, InvoiceSeries
from tenant_apps.invoices.services import print_invoice
from tenant_apps.ledger.models import (
    Account,
    CreditLine,
    FiscalPeriod,
    Hold,
    PostingRule,
    Transfer,
)
from tenant_apps.ledger.services import HoldRequest, reserve
from tenant_apps.limits.models import Overrun
from tenant_apps.limits.services import request_override, set_limit
from tenant_apps.parties.services import add_contact
from tenant_apps.products.models import TaxRate
from tenant_apps.products.services import NewProduct, record_products
from tenant_apps.wallets import services as wallets
from tenant_apps.wallets.models import Operator
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, a_won_deal, kes
from tests.payments.stories import a_payment, a_verified_payment
from tests.people import (
    PASSWORD,
    OrganizationClient,
    actor_of,
    client_of,
    machine,
    make_person,
    make_team,
)

COLUMNS = (
    "admin",
    "supervisor",
    "verifier",
    "lead",
    "owner",
    "colleague",
    "outsider",
    "nobody",
    "stranger",
)
ANYWHERE = "01900000-0000-7000-8000-000000000000"


class World:
    """Everything stands before the first request and is the same for each."""

    def __init__(self) -> None:
        self._people()
        self._rights()
        self._business()
        self._books()
        self._credit()
        self.clients = {
            name: client_of(person) for name, person in self.people.items() if name in COLUMNS
        }
        self.clients["stranger"] = OrganizationClient(
            HTTP_HOST="acme.kontor.test", raise_request_exception=False
        )

    def _people(self) -> None:
        lead = make_person("Lea Lead")
        self.north, self.south = make_team("North", lead=lead), make_team("South")
        self.empty_team = make_team("Empty")
        north, south = self.north.unit, self.south.unit
        self.people: dict[str, User] = {
            "admin": make_person("Ada Admin", role="admin"),
            "supervisor": make_person("Sam Supervisor", role="supervisor"),
            "verifier": make_person("Vera Verifier", role="verifier"),
            "lead": lead,
            "owner": make_person("Olga Owner", role="salesperson", unit=north),
            "colleague": make_person("Paul Colleague", role="salesperson", unit=north),
            "outsider": make_person("Oscar Outsider", role="salesperson", unit=south),
            "nobody": make_person("Nils Nobody"),
            "newcomer": make_person("Nora New"),
            "closed_out": make_person("Carl Closed", role="salesperson", unit=north),
        }
        access.deactivate_person(
            actor=actor_of(self.people["admin"]), user_id=self.people["closed_out"].pk
        )
        self.invited = access.invite_person(
            actor=machine(),
            email="invited@acme.example",
            full_name="Ingo Invited",
            roles=[access.FirstRole(unit_id=north.pk, role="salesperson")],
        )
        self.cast = Cast(
            people={
                "olga": self.people["owner"],
                "paul": self.people["colleague"],
                "lea": lead,
                "oscar": self.people["outsider"],
                "vera": self.people["verifier"],
                "sam": self.people["supervisor"],
                "ada": self.people["admin"],
            },
            units={"root": root_unit(), "north": north, "south": south},
        )

    def _rights(self) -> None:
        self.role = access.create_role(actor=machine(), code="own", name="Own", grants=[])
        self.membership = Membership.objects.get(user=self.people["colleague"])

    def _business(self) -> None:
        cast = self.cast
        self.client = a_client(cast)
        self.contact = add_contact(
            actor=machine(), party_id=self.client.pk, values={"full_name": "Connie Contact"}
        )
        self.product = record_products(
            actor=machine(),
            products=[NewProduct(code="P1", name="Product", list_price=kes("10.00"))],
        )[0]
        self.deal = a_deal(cast, client_id=self.client.pk)
        note_activity(
            actor=actor_of(self.people["owner"]), deal_id=self.deal.pk, kind="note", text="Hello"
        )
        # It only warns: what is won here goes above it.
        self.limit = set_limit(
            actor=machine(),
            client_id=self.client.pk,
            currency="KES",
            amount=kes("10.00"),
            mode="warn",
            reason="New here.",
        )
        self.override = request_override(
            actor=actor_of(self.people["owner"]),
            client_id=self.client.pk,
            amount=kes("5.00"),
            valid_until=date(2199, 12, 31),
            reason="A big order.",
        )
        self.won = a_won_deal(cast, client_id=self.client.pk)
        self.paid = a_verified_payment(cast, self.won)
        self.payment = a_payment(cast, self.deal)
        self.invoice = Invoice.objects.get(deal=self.won)
        self.document: Document = print_invoice(actor=machine(), invoice_id=self.invoice.pk)
        self.grant = access.grant_object(
            actor=machine(),
            user_id=self.people["newcomer"].pk,
            permission="deals.change_deal",
            subject=self.won,
        )

    def _books(self) -> None:
        self.transfer = Transfer.objects.order_by("pk").first()
        self.period = FiscalPeriod.objects.order_by("starts_on").first()
        seal_chains()
        source_id = uuid7()
        request = HoldRequest(
            id=uuid8_near(source_id, "hold"),
            account_code="1000",
            amount=kes("5.00"),
            source_type="tests.document",
            source_id=source_id,
        )
        (held,) = reserve(holds=[request], actor=machine())
        self.hold = Hold.objects.get(pk=held.hold_id)

    def _credit(self) -> None:
        """Two sellers; none of the columns is one of them."""
        self.people["wallet_admin"] = make_person("Wanda Wallets", role="wallet_admin")
        self.people["seller"] = make_person("Sita Seller", role="seller")
        self.people["other_seller"] = make_person("Seth Seller", role="seller")
        self.sellers = {
            name: wallets.add_seller(
                actor=machine(),
                seller=wallets.NewSeller(name=f"Kiosk {name}", user_id=self.people[name].pk),
            )
            for name in ("seller", "other_seller")
        }
        self.suspended = wallets.add_seller(
            actor=machine(), seller=wallets.NewSeller(name="Kiosk closed")
        )
        wallets.suspend_seller(actor=machine(), seller_id=self.suspended.pk)
        self.wallets = {
            name: wallets.open_wallet(actor=machine(), seller_id=seller.pk, currency="KES")
            for name, seller in self.sellers.items()
        }
        wallets.change_policy(actor=machine(), transfers_allowed=True)
        deposits = [
            wallets.request_deposit(
                actor=actor_of(self.people["seller"]),
                deposit=wallets.NewDeposit(
                    wallet_id=self.wallets["seller"].pk,
                    method="cash",
                    amount=kes("500.00"),
                    paid_on=date(2026, 3, 10),
                ),
            )
            for _ in range(2)
        ]
        wallets.approve_deposit(
            actor=actor_of(self.people["wallet_admin"]), deposit_id=deposits[0].pk
        )
        self.deposit = deposits[1]
        self.credit_transfer = wallets.transfer_credit(
            actor=actor_of(self.people["seller"]),
            transfer=wallets.NewTransfer(
                wallet_id=self.wallets["seller"].pk,
                to_seller=self.sellers["other_seller"].reference,
                amount=kes("10.00"),
            ),
        )

        wallets.add_operator(actor=machine(), code="savanna", name="Savanna", prefixes=["+2547"])
        self.operator = Operator.objects.get()
        self.sale = wallets.place_charge_sale(
            actor=actor_of(self.people["seller"]),
            sale=wallets.NewSale(
                wallet_id=self.wallets["seller"].pk, phone="0712345678", amount=kes("5.00")
            ),
        )
        self.batch = wallets.upload_charge_batch(
            actor=actor_of(self.people["seller"]),
            wallet_id=self.wallets["seller"].pk,
            file=BytesIO(BATCH),
        )
        self.reconciliation = wallets.reconcile_provider_file(
            actor=machine(),
            file=BytesIO(PROVIDER_FILE),
            file_name="provider.csv",
            currency="KES",
            starts_at=datetime(2026, 3, 1, tzinfo=UTC),
            ends_at=datetime(2026, 4, 1, tzinfo=UTC),
        )

    def ids(self, route: str) -> dict[str, Any]:
        """What stands in the places of a route's address."""
        for beginning, find in IDS.items():
            if route.startswith(f"api/v1/{beginning}"):
                return {name: str(value) for name, value in find(self).items()}
        return {}

    def body(self, method: str, route: str) -> Any:
        """What the route takes with the method, valid as far as the actor is concerned."""
        make = BODIES.get((method, route.removeprefix("api/v1/")))
        return make(self) if make else None


def _first(rows: QuerySet[Any]) -> Any:
    return rows.values_list("pk", flat=True)[0]


BATCH = b"phone,amount\n0712345678,1.00\n"
PROVIDER_FILE = b"reference,phone,amount,status,time\nx,+254712345678,1.00,delivered,2026-03-02\n"


def _table(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("table.csv", content, content_type="text/csv")


def _file() -> SimpleUploadedFile:
    picture = BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "PNG")
    return SimpleUploadedFile("proof.png", picture.getvalue(), content_type="image/png")


# By the beginning of the route, the longer before the shorter.
IDS: dict[str, Any] = {
    "documents/": lambda w: {"document_id": w.document.pk},
    "sessions/": lambda w: {"pk": ANYWHERE},
    "users/<uuid:pk>/reactivation/": lambda w: {"pk": w.people["closed_out"].pk},
    "users/": lambda w: {"pk": w.people["colleague"].pk},
    "invitations/": lambda w: {"pk": w.invited.pk},
    "units/": lambda w: {"pk": w.north.unit_id},
    "roles/": lambda w: {"pk": w.role.pk},
    "memberships/": lambda w: {"pk": w.membership.pk},
    "object-grants/": lambda w: {"pk": w.grant.pk},
    "audit-entries/": lambda w: {"pk": AuditEntry.objects.latest("id").pk},
    "seals/": lambda w: {"pk": _first(Segment.objects.order_by("pk")), "row_id": w.transfer.pk},
    "approvals/": lambda w: {"pk": Approval.objects.pending().get(subject_id=w.payment.pk).pk},
    "ledger/accounts/": lambda w: {
        "pk": _first(Account.objects.chart().filter(code="5900")),
        "account_id": _first(Account.objects.with_balance().order_by("code")),
    },
    "ledger/holds/": lambda w: {"pk": w.hold.pk, "hold_id": w.hold.pk},
    "ledger/credit-lines/": lambda w: dict.fromkeys(
        ("pk", "line_id"), _first(CreditLine.objects.order_by("pk"))
    ),
    "ledger/journals/": lambda w: {"pk": w.transfer.journal_id},
    "ledger/transfers/": lambda w: {"pk": w.transfer.pk},
    "ledger/posting-rules/": lambda w: {"pk": _first(PostingRule.objects.order_by("pk"))},
    "ledger/periods/": lambda w: {"pk": w.period.pk},
    "clients/<uuid:client_id>/credit-limits/": lambda w: {
        "client_id": w.client.pk,
        "pk": w.limit.pk,
    },
    "credit-limit-overrides/": lambda w: {"pk": w.override.pk},
    "credit-overruns/": lambda w: {"pk": _first(Overrun.objects.order_by("pk"))},
    "clients/<uuid:client_id>/": lambda w: {"client_id": w.client.pk, "pk": w.contact.pk},
    "clients/": lambda w: {"pk": w.client.pk},
    "products/": lambda w: {"pk": w.product.pk},
    "tax-rates/": lambda w: {"pk": _first(TaxRate.objects.order_by("pk"))},
    "teams/<uuid:team_id>/": lambda w: {
        "team_id": w.north.pk,
        "user_id": w.people["colleague"].pk,
    },
    "teams/<uuid:pk>/closing/": lambda w: {"pk": w.empty_team.pk},
    "teams/": lambda w: {"pk": w.north.pk},
    "deals/<uuid:deal_id>/stage-changes/": lambda w: {
        "deal_id": w.deal.pk,
        "pk": _first(StageChange.objects.filter(deal=w.deal).order_by("pk")),
    },
    "deals/<uuid:deal_id>/activities/": lambda w: {
        "deal_id": w.deal.pk,
        "pk": _first(Activity.objects.filter(deal=w.deal).order_by("pk")),
    },
    "deals/<uuid:deal_id>/history/": lambda w: {"deal_id": w.deal.pk},
    "deals/": lambda w: {"pk": w.deal.pk},
    "invoices/": lambda w: {"pk": w.invoice.pk},
    "invoice-series/": lambda w: {"pk": _first(InvoiceSeries.objects.order_by("pk"))},
    "payments/": lambda w: {"pk": w.payment.pk},
    "payment-invoices/": lambda w: {"pk": w.paid.invoice.pk},
    "sellers/<uuid:pk>/reinstatement/": lambda w: {"pk": w.suspended.pk},
    "sellers/": lambda w: {"pk": w.sellers["seller"].pk},
    "wallets/": lambda w: {"pk": w.wallets["seller"].pk, "wallet_id": w.wallets["seller"].pk},
    "deposit-requests/": lambda w: {"pk": w.deposit.pk},
    "wallet-transfers/": lambda w: {"pk": w.credit_transfer.pk},
    "operators/": lambda w: {"pk": w.operator.pk},
    "charge-sales/": lambda w: {"pk": w.sale.pk},
    "charge-batches/": lambda w: {"pk": w.batch.pk, "batch_id": w.batch.pk},
    "charge-reconciliations/": lambda w: {
        "pk": w.reconciliation.pk,
        "file_id": w.reconciliation.pk,
    },
    "commissions/": lambda w: {"pk": _first(Commission.objects.order_by("pk"))},
    "commission-plans/": lambda w: {"pk": _first(CommissionPlan.objects.order_by("pk"))},
}

_DAY = "2026-03-10"
_MONEY = {"amount": "12.50", "currency": "KES"}


def _journal_lines() -> list[dict[str, Any]]:
    return [
        {"account_code": code, "side": side, "amount": _MONEY}
        for code, side in (("1000", "debit"), ("3100", "credit"))
    ]


BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "profile/"): lambda w: {"language": "en"},
    ("POST", "second-factor/enrolment/"): lambda w: {"password": PASSWORD},
    ("POST", "second-factor/enrolment/confirmation/"): lambda w: {"code": "000000"},
    ("POST", "second-factor/verification/"): lambda w: {"code": "000000"},
    ("POST", "second-factor/removal/"): lambda w: {"password": "wrong-password-wrong"},
    ("POST", "invitations/"): lambda w: {
        "email": "fresh@acme.example",
        "full_name": "Fritz Fresh",
        "roles": [{"unit_id": str(w.north.unit_id), "role": "salesperson"}],
    },
    ("POST", "roles/"): lambda w: {"code": "fresh", "name": "Fresh"},
    ("PATCH", "roles/<uuid:pk>/"): lambda w: {"name": "Renamed"},
    ("POST", "memberships/"): lambda w: {
        "user_id": str(w.people["newcomer"].pk),
        "unit_id": str(w.north.unit_id),
        "role": "salesperson",
    },
    ("POST", "object-grants/"): lambda w: {
        "user_id": str(w.people["outsider"].pk),
        "permission": "deals.view_deal",
        "subject_type": "deals.deal",
        "subject_id": str(w.deal.pk),
    },
    ("PATCH", "seals/settings/"): lambda w: {"mail_heads": True},
    ("POST", "approvals/<uuid:pk>/signature/"): lambda w: {},
    ("POST", "approvals/<uuid:pk>/rejection/"): lambda w: {"remark": "No."},
    ("POST", "approvals/<uuid:pk>/recall/"): lambda w: {},
    ("POST", "ledger/accounts/"): lambda w: {
        "code": "5210",
        "name": "Electricity",
        "kind": "expense",
    },
    ("POST", "ledger/journals/"): lambda w: {
        "effective_on": _DAY,
        "memo": "By hand",
        "lines": _journal_lines(),
    },
    ("POST", "ledger/journals/<uuid:pk>/reversal/"): lambda w: {"effective_on": _DAY},
    ("POST", "ledger/opening-balances/"): lambda w: {
        "effective_on": _DAY,
        "lines": [{"account_code": "1000", "amount": _MONEY}],
    },
    ("POST", "ledger/currency-exchanges/"): lambda w: {
        "from_account": "1010",
        "to_account": "1010",
        "sold": {"amount": "100.00", "currency": "USD"},
        "bought": {"amount": "12900.00", "currency": "KES"},
        "effective_on": _DAY,
    },
    ("POST", "ledger/accounts/<uuid:pk>/striping/"): lambda w: {"stripes": 4},
    ("POST", "ledger/fiscal-years/"): lambda w: {"fiscal_year": 2031},
    ("POST", "ledger/periods/<uuid:pk>/reopening/"): lambda w: {"reason": "A mistake."},
    ("POST", "ledger/restart/"): lambda w: {"reason": "Repaired."},
    ("POST", "clients/"): lambda w: {"name": "Fresh Client"},
    ("PATCH", "clients/<uuid:pk>/"): lambda w: {"sector": "retail"},
    ("POST", "clients/<uuid:client_id>/contacts/"): lambda w: {"full_name": "Fresh Contact"},
    ("PATCH", "clients/<uuid:client_id>/contacts/<uuid:pk>/"): lambda w: {"job_title": "Boss"},
    ("POST", "clients/<uuid:client_id>/credit-limits/"): lambda w: {
        "currency": "KES",
        "amount": _MONEY,
        "mode": "warn",
        "reason": "New here.",
    },
    ("POST", "credit-limit-overrides/"): lambda w: {
        "client": str(w.client.pk),
        "amount": _MONEY,
        "valid_until": "2199-12-31",
        "reason": "A big order.",
    },
    ("POST", "products/"): lambda w: {"code": "P2", "name": "Fresh", "list_price": _MONEY},
    ("PATCH", "products/<uuid:pk>/"): lambda w: {"name": "Renamed"},
    ("POST", "tax-rates/"): lambda w: {
        "code": "VAT16",
        "name": "VAT",
        "category": "S",
        "percent": "16.000",
    },
    ("PATCH", "tax-rates/<uuid:pk>/"): lambda w: {"name": "Renamed"},
    ("POST", "teams/"): lambda w: {"name": "Fresh"},
    ("PATCH", "teams/<uuid:pk>/"): lambda w: {"name": "Renamed"},
    ("PUT", "teams/<uuid:pk>/lead/"): lambda w: {"user_id": str(w.people["newcomer"].pk)},
    ("POST", "teams/<uuid:team_id>/members/"): lambda w: {"user_id": str(w.people["newcomer"].pk)},
    ("POST", "deals/"): lambda w: {"value": _MONEY},
    ("PATCH", "deals/<uuid:pk>/"): lambda w: {"name": "Renamed"},
    ("POST", "deals/<uuid:pk>/assignment/"): lambda w: {"owner": str(w.people["colleague"].pk)},
    ("POST", "deals/<uuid:deal_id>/stage-changes/"): lambda w: {"to_stage": "won"},
    ("POST", "deals/<uuid:deal_id>/activities/"): lambda w: {"kind": "note", "text": "Hello"},
    ("POST", "invoices/<uuid:pk>/approval/"): lambda w: {},
    ("PATCH", "invoice-series/<uuid:pk>/"): lambda w: {"payment_terms_days": 14},
    ("POST", "payments/"): lambda w: {
        "deal": str(w.deal.pk),
        "method": "cash",
        "amount": _MONEY,
        "paid_on": _DAY,
    },
    ("PATCH", "payments/<uuid:pk>/"): lambda w: {"note": "Changed"},
    ("POST", "payments/<uuid:pk>/proof/"): lambda w: {"file": _file()},
    ("POST", "payments/<uuid:pk>/rejection/"): lambda w: {"remarks": "No."},
    ("POST", "payments/<uuid:pk>/verification/"): lambda w: {},
    ("POST", "sellers/"): lambda w: {"name": "Fresh Kiosk"},
    ("PATCH", "sellers/<uuid:pk>/"): lambda w: {"may_transfer": True},
    ("POST", "wallets/"): lambda w: {"seller": str(w.sellers["seller"].pk), "currency": "USD"},
    ("PATCH", "wallets/<uuid:pk>/"): lambda w: {"sale_limit": _MONEY},
    ("PATCH", "wallet-policy/"): lambda w: {"transfers_allowed": False},
    ("POST", "deposit-requests/"): lambda w: {
        "wallet": str(w.wallets["seller"].pk),
        "method": "cash",
        "amount": _MONEY,
        "paid_on": _DAY,
    },
    ("POST", "deposit-requests/<uuid:pk>/proof/"): lambda w: {"file": _file()},
    ("POST", "deposit-requests/<uuid:pk>/approval/"): lambda w: {},
    ("POST", "deposit-requests/<uuid:pk>/denial/"): lambda w: {"reason": "No."},
    ("POST", "wallet-transfers/"): lambda w: {
        "wallet": str(w.wallets["seller"].pk),
        "to_seller": w.sellers["other_seller"].reference,
        "amount": _MONEY,
    },
    ("POST", "operators/"): lambda w: {"code": "lake", "name": "Lake", "prefixes": ["+25473"]},
    ("PATCH", "operators/<uuid:pk>/"): lambda w: {"name": "Renamed"},
    ("POST", "charge-sales/"): lambda w: {
        "wallet": str(w.wallets["seller"].pk),
        "phone": "+254712345678",
        "amount": _MONEY,
    },
    ("POST", "charge-batches/"): lambda w: {
        "wallet": str(w.wallets["seller"].pk),
        "file": _table(BATCH),
    },
    ("POST", "charge-reconciliations/"): lambda w: {
        "file": _table(PROVIDER_FILE),
        "currency": "KES",
        "starts_at": "2026-03-01T00:00:00Z",
        "ends_at": "2026-05-01T00:00:00Z",
    },
    ("POST", "commission-plans/"): lambda w: {
        "name": "Fresh",
        "percent": "4.0000",
        "starts_on": date(2027, 1, 1).isoformat(),
    },
}
UPLOADS = {
    "payments/<uuid:pk>/proof/",
    "deposit-requests/<uuid:pk>/proof/",
    "charge-batches/",
    "charge-reconciliations/",
}
QUERIES = {
    "object-grants/": lambda w: f"?subject_type=deals.deal&subject_id={w.deal.pk}",
    "field-history/": lambda w: f"?subject_type=access.unit&subject_id={w.north.unit_id}",
    "dashboards/figures/": lambda w: "?by=agent",
    "seals/verification/": lambda w: "?chain=transfers",
}
