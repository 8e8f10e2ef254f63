"""For each route of the API, the ids and the body that it takes in the matrix's world."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from PIL import Image

from shared_apps.audit.models import AuditEntry
from shared_apps.seals.models import Segment
from tenant_apps.approvals.models import Approval
from tenant_apps.commissions.models import Commission, CommissionPlan
from tenant_apps.deals.models import Activity, StageChange
from tenant_apps.invoices.models import InvoiceSeries
from tenant_apps.ledger.models import Account, CreditLine, PostingRule
from tenant_apps.limits.models import Overrun
from tenant_apps.products.models import TaxRate
from tests.people import PASSWORD

ANYWHERE = "01900000-0000-7000-8000-000000000000"


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
    "api-keys/": lambda w: {"pk": w.api_key.pk},
    "sign-in-policies/": lambda w: {"pk": w.policy.pk},
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
    "charge-refunds/": lambda w: {"pk": w.refund.pk},
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
    ("POST", "api-keys/"): lambda w: {"name": "Fresh", "permissions": ["access.view_role"]},
    ("POST", "api-keys/<uuid:pk>/rotation/"): lambda w: {"former_ends_at": "2026-03-10T00:00:00Z"},
    ("POST", "sign-in-policies/"): lambda w: {"role": "verifier", "factor": "totp"},
    ("PATCH", "sign-in-policies/<uuid:pk>/"): lambda w: {"factor": "totp"},
    ("POST", "second-factor/codes/"): lambda w: {"channel": "email"},
    ("PATCH", "sessions/<uuid:pk>/"): lambda w: {"name": "Desk"},
    ("PATCH", "security-settings/"): lambda w: {"step_up_minutes": 5},
    ("POST", "step-up/"): lambda w: {"password": "wrong-password-wrong"},
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
    ("POST", "ledger/accounts/<uuid:pk>/deferral/"): lambda w: {"deferred": False},
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
    ("POST", "charge-refunds/"): lambda w: {"sale": str(w.sold[1].pk), "reason": "Wrong number."},
    ("POST", "charge-refunds/<uuid:pk>/approval/"): lambda w: {},
    ("POST", "charge-refunds/<uuid:pk>/denial/"): lambda w: {"reason": "No."},
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
