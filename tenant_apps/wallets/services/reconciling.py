"""The provider's file beside our sales, row by row. Nothing is changed by it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import IO
from uuid import UUID

from django.db import IntegrityError, transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import currencies
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import InvalidAmount, Money
from tenant_apps.wallets import events, references
from tenant_apps.wallets.files import rows_of
from tenant_apps.wallets.models import (
    ChargeSale,
    MatchResult,
    ProviderReconciliation,
    ReconciledRow,
    SaleState,
)

COLUMNS = ("reference", "phone", "amount", "status", "time")
DELIVERED, REFUSED, REVERSED = "delivered", "refused", "reversed"
_ROWS_AT_ONCE = 1000
# What a row of the file says of a sale that ended like this.
_STATUS_OF = {SaleState.SOLD: DELIVERED, SaleState.FAILED: REFUSED}


@transaction.atomic
def reconcile_provider_file(
    *,
    actor: Actor,
    file: IO[bytes],
    file_name: str,
    currency: str,
    starts_at: datetime,
    ends_at: datetime,
) -> ProviderReconciliation:
    """Compare a provider's CSV (`COLUMNS`) with the sales that were sent in a span of time.

    The file is read as it streams, however long. The same file for the same span answers with the
    comparison that stands. `starts_at` is in the span, `ends_at` is not.

    :raises Forbidden: the actor does not reconcile.
    :raises BadInput: there is no such currency, or the span has no length.
    :raises FileUnreadable: it is no CSV with these columns.
    """
    actor.require("wallets.add_providerreconciliation")
    if not currencies.is_currency(currency):
        raise BadInput.field("currency", detail="This is not a currency.")
    if starts_at >= ends_at:
        raise BadInput.field("ends_at", detail="It is after the beginning.")
    row = ProviderReconciliation(
        file_name=file_name[:200],
        sha256=_digest(file),
        currency=currency,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    stands = _begun(row)
    if stands is not None:
        return stands
    results: Counter[str] = Counter()
    for portion in _portions(rows_of(file, columns=COLUMNS)):
        compared = _compared(row, portion)
        ReconciledRow.objects.bulk_create(compared)
        results.update(one.result for one in compared)
    results[MatchResult.MISSING_THERE] = _note_missing_there(row)
    audit.record(
        events.ProviderFileReconciled(
            subject_id=row.id,
            reference=row.reference,
            results={str(name): number for name, number in sorted(results.items()) if number},
        ),
        actor=actor,
    )
    return row


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 16):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _begun(row: ProviderReconciliation) -> ProviderReconciliation | None:
    """The comparison that stands; None where this one was begun now."""
    same = ProviderReconciliation.objects.filter(
        sha256=row.sha256,
        currency=row.currency,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
    stands = same.first()
    if stands is not None:
        return stands
    row.reference = references.next_reference(references.RECONCILIATION)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # Two uploaded it at once: this one waited for the other, whose comparison stands now.
        return same.get()
    return None


def _portions(
    rows: Iterable[tuple[int, dict[str, str]]],
) -> Iterator[list[tuple[int, dict[str, str]]]]:
    rest = iter(rows)
    while portion := list(islice(rest, _ROWS_AT_ONCE)):
        yield portion


def _compared(
    reconciliation: ProviderReconciliation, portion: list[tuple[int, dict[str, str]]]
) -> list[ReconciledRow]:
    """The rows of a portion with their results, in two queries for all."""
    read = (_uuid(cells["reference"]) for _, cells in portion)
    wanted = {reference for reference in read if reference is not None}
    sales = {
        sale.charge_reference: sale
        for sale in ChargeSale.objects.filter(charge_reference__in=wanted)
    }
    told = reconciliation.rows.filter(sale__in=sales.values())
    seen = set(told.exclude(result=MatchResult.UNREADABLE).values_list("sale_id", flat=True))
    rows = []
    for line, cells in portion:
        row = _row(reconciliation, line, cells, sales)
        if row.sale is not None and row.result != MatchResult.UNREADABLE:
            if row.sale.id in seen:
                row.result = MatchResult.REPEATED
                row.detail = f"An earlier line is about {row.sale.reference} too."
            seen.add(row.sale.id)
        rows.append(row)
    return rows


def _row(
    reconciliation: ProviderReconciliation,
    line: int,
    cells: dict[str, str],
    sales: dict[UUID, ChargeSale],
) -> ReconciledRow:
    row = ReconciledRow(
        reconciliation=reconciliation,
        line=line,
        charge_reference=cells["reference"][:64],
        phone=cells["phone"][:40],
        status=cells["status"].lower()[:24],
        currency=reconciliation.currency,
    )
    reference = _uuid(cells["reference"])
    row.sale = sales.get(reference) if reference is not None else None
    try:
        row.amount_minor = Money.parse(cells["amount"], reconciliation.currency).minor
        row.charged_at = _moment(cells["time"])
    except (InvalidAmount, ValueError):
        row.result = MatchResult.UNREADABLE
        row.detail = "Amount or time cannot be read."
        return row
    if row.status not in (DELIVERED, REFUSED, REVERSED):
        row.result = MatchResult.UNREADABLE
        row.detail = f"The status is {DELIVERED}, {REFUSED} or {REVERSED}."
        return row
    row.result, row.detail = _result(row, row.sale)
    return row


def _result(row: ReconciledRow, sale: ChargeSale | None) -> tuple[MatchResult, str]:
    if sale is None:
        return MatchResult.MISSING_HERE, ""
    if (row.amount_minor, row.currency) != (sale.amount_minor, sale.currency):
        return MatchResult.AMOUNT_DIFFERS, f"{sale.reference} is over {sale.amount}."
    if row.phone != sale.phone:
        return MatchResult.STATUS_DIFFERS, f"{sale.reference} charged another number."
    if row.status == REVERSED:
        if sale.refunded_at is not None or sale.state == SaleState.FAILED:
            return MatchResult.MATCHED, ""
        return MatchResult.STATUS_DIFFERS, f"{sale.reference} is {sale.state} and not refunded."
    if _STATUS_OF.get(SaleState(sale.state)) != row.status:
        return MatchResult.STATUS_DIFFERS, f"{sale.reference} is {sale.state}."
    return MatchResult.MATCHED, ""


def _note_missing_there(reconciliation: ProviderReconciliation) -> int:
    """What was sent in the span and is sold or not settled, and has no row in the file."""
    named = reconciliation.rows.filter(sale__isnull=False).values("sale_id")
    missing = (
        ChargeSale.objects.filter(
            currency=reconciliation.currency,
            sent_at__gte=reconciliation.starts_at,
            sent_at__lt=reconciliation.ends_at,
        )
        .exclude(state=SaleState.FAILED)
        .exclude(pk__in=named)
        .order_by("pk")
    )
    number = 0
    rest = iter(missing.iterator(chunk_size=_ROWS_AT_ONCE))
    while portion := list(islice(rest, _ROWS_AT_ONCE)):
        ReconciledRow.objects.bulk_create(
            ReconciledRow(
                reconciliation=reconciliation,
                result=MatchResult.MISSING_THERE,
                charge_reference=str(sale.charge_reference),
                phone=sale.phone,
                amount_minor=sale.amount_minor,
                currency=sale.currency,
                charged_at=sale.sent_at,
                sale=sale,
                detail=f"{sale.reference} is {sale.state}.",
            )
            for sale in portion
        )
        number += len(portion)
    return number


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime:
    """ISO 8601; a time without an offset is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
