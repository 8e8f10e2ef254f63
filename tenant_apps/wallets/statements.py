"""What happened to the credit of a wallet: the rows of the books, read as a seller reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, CharField, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from shared_apps.documents import pdf
from shared_apps.kernel import clock
from shared_apps.kernel.money import Money
from tenant_apps.ledger.models import Account, Side, StatementLine, Transfer, TransferKind
from tenant_apps.parties.selectors import own_party
from tenant_apps.wallets import errors
from tenant_apps.wallets.models import ChargeSale, Wallet
from tenant_apps.wallets.models.sellers import CREDIT_ACCOUNT
from tenants.context import current_organization

ROWS_AT_ONCE = 1000
ROWS_OF_A_DOCUMENT = 2000
_TEMPLATE = Path(__file__).parent / "templates" / "wallet_statement.typ"

DEPOSIT, TRANSFER_IN, TRANSFER_OUT = "deposit", "transfer_in", "transfer_out"
CHARGE_SALE, CHARGE_REFUND = "charge_sale", "charge_refund"
REVERSAL, OTHER = "reversal", "other"
TYPES = (
    (DEPOSIT, "Deposit"),
    (TRANSFER_IN, "Credit received"),
    (TRANSFER_OUT, "Credit given"),
    (CHARGE_SALE, "Charge sold"),
    (CHARGE_REFUND, "Charge refunded"),
    (REVERSAL, "Reversal"),
    (OTHER, "Other"),
)
_NAMES = dict(TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days of the organization's calendar, both included; None is without end on that side."""

    first: date | None = None
    last: date | None = None

    def of(self, lines: QuerySet[StatementLine]) -> QuerySet[StatementLine]:
        """The lines that were written in the period."""
        time_zone = current_organization().time_zone
        if self.first is not None:
            lines = lines.filter(posted_at__gte=clock.start_of_day(self.first, time_zone))
        if self.last is not None:
            after = clock.start_of_day(self.last + timedelta(days=1), time_zone)
            lines = lines.filter(posted_at__lt=after)
        return lines


def history_of(wallet: Wallet) -> QuerySet[StatementLine]:
    """The rows of a wallet, the newest first, each with the balance that it left.

    Beside the columns of the books: `entry_type` (`TYPES`), `actor_id` and, for a sale, the
    `number` that was charged.
    """
    account = Account.objects.filter(
        code=CREDIT_ACCOUNT, subledger_id=wallet.seller_id, currency=wallet.currency
    ).first()
    lines = StatementLine.objects.all()
    lines = lines.none() if account is None else lines.filter(account_id=account.id)
    transfer = Transfer.objects.filter(pk=OuterRef("transfer_id"))
    sale = ChargeSale.objects.filter(pk=OuterRef("source_id"))
    return lines.annotate(
        entry_type=_type(),
        actor_id=Subquery(transfer.values("actor_id")[:1]),
        number=Coalesce(Subquery(sale.values("phone")[:1]), Value("")),
    ).order_by("-version", "transfer_id")


def signed(line: StatementLine) -> Money:
    """The row's amount: above zero where it raised the credit, below where it lowered it."""
    return line.amount if line.side == Side.CREDIT else -line.amount


def csv_rows(*, wallet: Wallet, period: Period) -> Iterator[list[str]]:
    """The head and the rows of a statement, the oldest first, however many there are.

    Read in portions: nothing is kept in memory, and what is posted meanwhile stays out.
    """
    yield ["posted_at", "type", "reference", "number", "amount", "balance", "currency"]
    time_zone = current_organization().time_zone
    for line in _oldest_first(period.of(history_of(wallet))):
        yield [
            line.posted_at.astimezone(ZoneInfo(time_zone)).isoformat(timespec="seconds"),
            line.entry_type,
            line.memo,
            line.number,
            signed(line).to_string(),
            line.balance.to_string(),
            line.currency,
        ]


def printed(*, wallet: Wallet, period: Period) -> bytes:
    """The statement as a PDF.

    :raises StatementTooLong: the period has more than `ROWS_OF_A_DOCUMENT` rows.
    :raises PdfFailed: it cannot be set.
    """
    lines = list(
        period.of(history_of(wallet)).order_by("version", "transfer_id")[: ROWS_OF_A_DOCUMENT + 1]
    )
    if len(lines) > ROWS_OF_A_DOCUMENT:
        raise errors.StatementTooLong(f"A document has at most {ROWS_OF_A_DOCUMENT} rows.")
    return pdf.render(
        _TEMPLATE.read_text(encoding="utf-8"), _shown(wallet, period, lines), dated=clock.now()
    )


def _type() -> Case:
    reversal = When(kind=TransferKind.REVERSAL, then=Value(REVERSAL))
    refund = When(kind=TransferKind.REVERSAL, rule="wallet.charged", then=Value(CHARGE_REFUND))
    return Case(
        refund,
        reversal,
        When(rule__startswith="wallet.deposited.", then=Value(DEPOSIT)),
        When(rule="wallet.transferred", side=Side.CREDIT, then=Value(TRANSFER_IN)),
        When(rule="wallet.transferred", then=Value(TRANSFER_OUT)),
        When(rule="wallet.charged", then=Value(CHARGE_SALE)),
        default=Value(OTHER),
        output_field=CharField(),
    )


def _oldest_first(lines: QuerySet[StatementLine]) -> Iterator[Any]:
    newest = lines.first()
    if newest is None:
        return
    lines = lines.filter(version__lte=newest.version).order_by(F("version").asc())
    version = 0
    while portion := list(lines.filter(version__gt=version)[:ROWS_AT_ONCE]):
        yield from portion
        version = portion[-1].version


def _shown(wallet: Wallet, period: Period, lines: list[Any]) -> dict[str, Any]:
    time_zone = current_organization().time_zone
    if lines:
        opening, closing = lines[0].balance - signed(lines[0]), lines[-1].balance
    else:
        # Nothing happened: it holds what the last row before has left.
        before = Period(last=period.last).of(history_of(wallet)).first()
        opening = closing = before.balance if before else Money.zero(wallet.currency)
    seller = wallet.seller
    return {
        "number": seller.reference,
        "currency": wallet.currency,
        "first": period.first or (clock.local_date(lines[0].posted_at, time_zone) if lines else ""),
        "last": period.last or clock.today(time_zone),
        "opening": opening.to_string(),
        "closing": closing.to_string(),
        "issuer": _address(own_party().invoicing_details()),
        "recipient": _address(seller.party.invoicing_details()),
        "lines": [
            {
                "at": line.posted_at.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M"),
                "type": _NAMES[line.entry_type],
                "reference": f"{line.memo} {line.number}".strip(),
                "amount": signed(line).to_string(),
                "balance": line.balance.to_string(),
            }
            for line in lines
        ],
    }


def _address(details: dict[str, str]) -> list[str]:
    """The lines of an address block, without empty ones."""
    town = f"{details['postal_code']} {details['city']}".strip()
    lines: Iterable[str] = (
        details["name"],
        details["address_line_1"],
        details["address_line_2"],
        town,
        details["country"],
    )
    return [line for line in lines if line]
