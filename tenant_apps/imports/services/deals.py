"""Opportunities: deals in their stages, and what follows from a win."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.operations import step
from tenant_apps.deals.models import Deal, Stage
from tenant_apps.deals.services import (
    DealWin,
    NewDeal,
    StageMove,
    change_deal,
    change_stages,
    record_deals,
    win_deals,
)
from tenant_apps.imports.context import BYPASS, SOURCE, Book
from tenant_apps.imports.halving import in_halves
from tenant_apps.imports.names import Names
from tenant_apps.imports.rows import Row, check_follows, check_same, row_of, with_client
from tenant_apps.imports.sales_book import OPPORTUNITIES, Opportunity, Refused
from tenant_apps.imports.services import catalogue
from tenant_apps.payments.models import Method
from tenant_apps.payments.services import (
    NewPayment,
    Verification,
    record_payments,
    verify_payments,
)

CLIENT_MADE = "client_made"


@step
@transaction.atomic
def import_batch(*, opportunities: Sequence[Opportunity], book: Book) -> tuple[int, int]:
    """Record a batch, or bring what was recorded earlier to its stage of today.

    Returns how many were recorded or moved, and how many stood already as they are.
    """
    known = {
        deal.external_reference: deal
        for deal in Deal.objects.filter(
            external_source=SOURCE,
            external_reference__in=[one.reference for one in opportunities],
        )
    }
    judged: list[tuple[Row, Opportunity]] = []
    stood = 0
    for one in opportunities:
        mark = len(book.found)
        try:
            deal = known.get(one.reference)
            if deal is not None and deal.stage == one.stage:
                check_same(one=one, deal=deal, book=book)
                stood += 1
                continue
            if deal is not None:
                check_follows(one=one, deal=deal)
            judged.append((row_of(one=one, book=book), one))
        except Refused as refused:
            # What was mended in a row that is refused after all is not worth telling.
            del book.found[mark:]
            book.refused(OPPORTUNITIES, one.line, one.reference, refused.code, refused.detail)
    _make_missing_clients(judged, book)
    rows = [
        with_client(row=row, one=one, deal=known.get(row.reference), book=book)
        for row, one in judged
    ]

    def write(part: Sequence[Row]) -> None:
        mark = len(book.found)
        try:
            _write(part, known, book)
        except DomainError:
            # It is written again, half by half.
            del book.found[mark:]
            raise

    def refuse(row: Row, error: DomainError) -> None:
        _refuse(row, error, book)

    return in_halves(rows, write=write, refuse=refuse), stood


def _make_missing_clients(judged: Sequence[tuple[Row, Opportunity]], book: Book) -> None:
    """A deal names an account that the accounts' file lacks: the name alone makes a client."""
    missing: dict[str, Opportunity] = {}
    spelt = Names()
    for row, one in judged:
        known = book.client_names.find(row.account) or spelt.find(row.account)
        if row.account and known is None:
            missing[row.account] = one
            spelt.add(row.account)
    if not missing:
        return
    catalogue.record(book=book, rows=[(name, "", None) for name in missing])
    for name, one in missing.items():
        book.client_names.add(name)
        book.mended(
            OPPORTUNITIES,
            one.line,
            one.reference,
            CLIENT_MADE,
            f"{name!r} is not among the accounts: the client is recorded by its name.",
        )


def _refuse(row: Row, error: DomainError, book: Book) -> None:
    """What was mended in the row does not count any more; a client made for it stands."""
    book.found[:] = [
        one
        for one in book.found
        if (one.file_name, one.line) != (OPPORTUNITIES, row.line) or one.code == CLIENT_MADE
    ]
    book.refused(
        OPPORTUNITIES, row.line, row.reference, error.code, error.detail or str(error.title)
    )


def _write(rows: Sequence[Row], known: Mapping[str, Deal], book: Book) -> None:
    """Record deals and move them, in as many statements for five hundred as for one."""
    deals = {row.reference: known[row.reference] for row in rows if row.reference in known}
    _amend([row for row in rows if row.reference in deals], deals, book)
    _engage([row for row in rows if row.reference in deals], deals, book)
    deals |= _record([row for row in rows if row.reference not in deals], book)
    _lose([row for row in rows if row.stage == Stage.LOST], deals, book)
    _win([row for row in rows if row.stage == Stage.WON], deals, book)


def _record(rows: Sequence[Row], book: Book) -> dict[str, Deal]:
    made = record_deals(
        actor=book.recorder,
        quota_bypass_reason=BYPASS,
        deals=[
            NewDeal(
                owner_id=row.place.user_id,
                unit_id=row.place.unit_id,
                value=row.value,
                client_id=row.client_id,
                product_id=row.product_id,
                stage=Stage.PROSPECTING if row.engaged_on is None else Stage.ENGAGING,
                staged_on=row.engaged_on or row.closed_on,
                external_source=SOURCE,
                external_reference=row.reference,
            )
            for row in rows
        ],
    )
    return {deal.external_reference: deal for deal in made}


def _amend(rows: Sequence[Row], deals: Mapping[str, Deal], book: Book) -> None:
    """What rows tell of open deals beside the stage: one by one, for few tell anything new."""
    for row in rows:
        deal = deals[row.reference]
        told: dict[str, Any] = {"product_id": row.product_id}
        if row.stage != Stage.WON:
            # A win brings its client and value itself.
            told["client_id"] = row.client_id
            told["value"] = row.value if row.is_valued else None
        changes = {
            name: value
            for name, value in told.items()
            if value is not None and value != getattr(deal, name)
        }
        if changes:
            change_deal(actor=book.recorder, deal_id=deal.id, changes=changes)


def _engage(rows: Sequence[Row], deals: Mapping[str, Deal], book: Book) -> None:
    moves = [
        StageMove(
            deal_id=deals[row.reference].id, to_stage=Stage.ENGAGING, occurred_on=row.engaged_on
        )
        for row in rows
        if row.engaged_on is not None and deals[row.reference].stage == Stage.PROSPECTING
    ]
    change_stages(actor=book.recorder, moves=moves)


def _lose(rows: Sequence[Row], deals: Mapping[str, Deal], book: Book) -> None:
    moves = [
        StageMove(deal_id=deals[row.reference].id, to_stage=Stage.LOST, occurred_on=row.closed_on)
        for row in rows
    ]
    change_stages(actor=book.recorder, moves=moves)


def _win(rows: Sequence[Row], deals: Mapping[str, Deal], book: Book) -> None:
    """Win deals; their invoices follow by themselves. Then the payment of each, received on the
    day it was closed, and the verifier's word on it."""
    if not rows:
        return
    wins = [
        DealWin(
            deal_id=deals[row.reference].id,
            closed_on=row.closed_on,
            value=row.value,
            client_id=row.client_id,
        )
        for row in rows
    ]
    win_deals(actor=book.recorder, wins=wins, credit_bypass_reason=BYPASS)
    payments = record_payments(
        actor=book.recorder, payments=[_payment(row, deals[row.reference]) for row in rows]
    )
    verifications = []
    for row, payment in zip(rows, payments, strict=True):
        if book.verifier.user_id in (row.place.user_id, deals[row.reference].owner_id):
            book.mended(
                OPPORTUNITIES,
                row.line,
                row.reference,
                "payment_left_pending",
                "The verifier owns the deal: its payment waits for somebody else's word.",
            )
        else:
            verifications.append(
                Verification(payment_id=payment.id, remarks="From the sales book.")
            )
    if verifications:
        verify_payments(actor=book.verifier, verifications=verifications)


def _payment(row: Row, deal: Deal) -> NewPayment:
    # A won deal without the day it was closed on was refused when it was read.
    assert row.closed_on is not None
    return NewPayment(
        deal_id=deal.id,
        method=Method.BANK_TRANSFER,
        amount=row.value,
        paid_on=row.closed_on,
        external_reference=row.reference,
        recorded_by=row.place.user_id,
    )
