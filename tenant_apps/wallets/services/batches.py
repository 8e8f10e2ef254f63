"""Sales from a file: each row a sale of its own, placed once however often the work begins anew."""

from __future__ import annotations

from functools import partial
from typing import IO
from uuid import UUID

from django.db import transaction

from shared_apps.access.actors import actor_for_user, api_key_of
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput, DomainError
from shared_apps.kernel.ids import uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from shared_apps.kernel.transactions import retrying
from tenant_apps.ledger.errors import BooksStopped
from tenant_apps.wallets import errors, events, references
from tenant_apps.wallets.files import rows_of
from tenant_apps.wallets.models import (
    BatchRowState,
    BatchState,
    ChargeBatch,
    ChargeBatchRow,
    ChargeSale,
)
from tenant_apps.wallets.selectors import wallets_visible_to
from tenants.context import organization_id

from .delivering import deliver_sale
from .sales import NewSale, place_charge_sale

COLUMNS = ("phone", "amount")
MOST_ROWS = 5000
_LONGEST_CELL = 40
_ROWS_PER_STATEMENT = 1000


@transaction.atomic
def upload_charge_batch(*, actor: Actor, wallet_id: UUID, file: IO[bytes]) -> ChargeBatch:
    """Take a CSV (`COLUMNS`) of numbers to be charged; `work_on_batch` places the sales.

    :raises BadInput: no such wallet that the actor sees.
    :raises Forbidden: the actor may not sell from the wallet, or not by batches.
    :raises SellerSuspended: the seller is suspended.
    :raises FileUnreadable: it is no CSV with these columns.
    :raises BatchEmpty, BatchTooLong: it has no rows, or too many.
    """
    wallet = wallets_visible_to(actor).select_related("seller").filter(pk=wallet_id).first()
    if wallet is None:
        raise BadInput.field("wallet", detail="There is no such wallet.", code="not_found")
    actor.require("wallets.add_chargebatch", wallet)
    actor.require("wallets.add_chargesale", wallet)
    wallet.seller.check_active()
    batch = ChargeBatch(
        wallet=wallet,
        api_key_id=api_key_of(actor),
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    rows: list[ChargeBatchRow] = []
    for line, cells in rows_of(file, columns=COLUMNS):
        if len(rows) == MOST_ROWS:
            raise errors.BatchTooLong
        texts = {name: text[:_LONGEST_CELL] for name, text in cells.items()}
        rows.append(ChargeBatchRow(batch=batch, line=line, created_by_id=actor.user_id, **texts))
    if not rows:
        raise errors.BatchEmpty
    batch.reference = references.next_reference(references.BATCH)
    batch.rows_count = len(rows)
    batch.save(force_insert=True)
    ChargeBatchRow.objects.bulk_create(rows, batch_size=_ROWS_PER_STATEMENT)
    audit.record(
        events.ChargeBatchUploaded(
            subject_id=batch.id,
            reference=batch.reference,
            wallet_id=wallet.id,
            rows=batch.rows_count,
        ),
        actor=actor,
    )
    return batch


@step
def work_on_batch(*, batch_id: UUID, actor: Actor, limit: int = 200) -> bool:
    """Place and deliver the sales of rows that wait, in their order; says whether more wait.

    Sales are placed by whoever uploaded the file, with the rights of each moment: a key that was
    revoked stops at the next row. Where no row moves, nothing more is said to wait: the poll comes.
    """
    batch = ChargeBatch.objects.get(pk=batch_id)
    if batch.state == BatchState.DONE:
        return False
    waiting = batch.rows.filter(state=BatchRowState.WAITING).order_by("line")
    row_ids = list(waiting.values_list("pk", flat=True)[:limit])
    for row_id in row_ids:
        seller = _seller_of(batch, actor)
        sale_id = retrying(partial(_place, batch, row_id, actor=seller))
        if sale_id is not None:
            deliver_sale(sale_id=sale_id, actor=seller)
    if row_ids and waiting.filter(pk__in=row_ids).count() == len(row_ids):
        return False
    return not _finished(batch_id, actor=actor)


def _seller_of(batch: ChargeBatch, actor: Actor) -> Actor:
    if batch.created_by_id is None:
        return actor
    return actor_for_user(user_id=batch.created_by_id, api_key_id=batch.api_key_id)


def _place(batch: ChargeBatch, row_id: UUID, *, actor: Actor) -> UUID | None:
    """Place one row's sale, or say why not; None where another worker has done it."""
    with transaction.atomic():
        row = ChargeBatchRow.objects.filter(state=BatchRowState.WAITING).for_change()
        mine = row.filter(pk=row_id).first()
        if mine is None:
            return None
        try:
            # A refusal undoes what it did, and the row says why.
            with transaction.atomic():
                sale = _sale_of(batch, mine, actor=actor)
        except (errors.NoChargeProvider, BooksStopped):
            # Nothing is wrong with the row: it waits for a provider, or for the books.
            return None
        except DomainError as refusal:
            mine.state, mine.code = BatchRowState.REFUSED, refusal.code
            mine.detail = str(refusal)[:300]
            mine.save(update_fields=["state", "code", "detail", "updated_at"])
            return None
        mine.state, mine.sale = BatchRowState.PLACED, sale
        mine.save(update_fields=["state", "sale", "updated_at"])
        return sale.pk


def _sale_of(batch: ChargeBatch, row: ChargeBatchRow, *, actor: Actor) -> ChargeSale:
    return place_charge_sale(
        actor=actor,
        sale=NewSale(
            id=uuid8_near(row.pk, organization_id(), "sale of batch row"),
            wallet_id=batch.wallet_id,
            phone=row.phone,
            amount=Money.parse(row.amount, batch.wallet.currency),
        ),
    )


@transaction.atomic
def _finished(batch_id: UUID, *, actor: Actor) -> bool:
    batch = ChargeBatch.objects.all().locked(batch_id)
    if batch.state == BatchState.DONE:
        return True
    if batch.rows.filter(state=BatchRowState.WAITING).exists():
        return False
    batch.state, batch.finished_at = BatchState.DONE, clock.now()
    batch.save(update_fields=["state", "finished_at", "updated_at"])
    placed = batch.rows.filter(state=BatchRowState.PLACED).count()
    audit.record(
        events.ChargeBatchFinished(
            subject_id=batch.id,
            reference=batch.reference,
            placed=placed,
            refused=batch.rows_count - placed,
        ),
        actor=actor,
    )
    return True
