"""Opportunities: deals in their stages, and what follows from a win."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.kernel import clock
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.deals.models import Deal, Stage
from tenant_apps.deals.services import (
    DealWin,
    NewDeal,
    StageMove,
    change_stages,
    record_deals,
    win_deals,
)
from tenant_apps.imports.amounts import money_of
from tenant_apps.imports.context import BYPASS, SOURCE, Book, Place
from tenant_apps.imports.sales_book import (
    OPPORTUNITIES,
    Finding,
    Line,
    Names,
    Opportunity,
    Refused,
    lines_of,
    opportunity_of,
)
from tenant_apps.imports.services import catalogue
from tenant_apps.payments.models import Method
from tenant_apps.payments.services import (
    NewPayment,
    Verification,
    record_payments,
    verify_payments,
)
from tenants.context import current_organization

ROWS_PER_BATCH = 500


@dataclass(frozen=True, slots=True)
class Row:
    """An opportunity that can be recorded, in our terms."""

    line: int
    reference: str
    place: Place
    product_id: UUID | None
    client_id: UUID | None
    stage: str
    engaged_on: date | None
    closed_on: date | None
    value: Money


def batches_of(directory: Path, book: Book) -> Iterator[list[Opportunity]]:
    """The opportunities in batches; rows that cannot be read become findings of the book."""
    rows = _opportunities(directory, book)
    while batch := list(islice(rows, ROWS_PER_BATCH)):
        yield batch


def _opportunities(directory: Path, book: Book) -> Iterator[Opportunity]:
    seen: set[str] = set()
    for line in lines_of(directory, OPPORTUNITIES):
        if isinstance(line, Finding):
            book.found.append(line)
            continue
        try:
            opportunity = opportunity_of(line)
            if opportunity.reference in seen:
                raise Refused("opportunity_repeated", "The opportunity stands in a row above.")
        except Refused as refused:
            _refuse(book, line, refused)
            continue
        seen.add(opportunity.reference)
        yield opportunity


def _refuse(book: Book, line: Line, refused: Refused) -> None:
    book.refused(OPPORTUNITIES, line.number, line["opportunity_id"], refused.code, refused.detail)


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
    _make_missing_clients(opportunities, known, book)
    rows: list[Row] = []
    for opportunity in opportunities:
        deal = known.get(opportunity.reference)
        if deal is not None and deal.stage == opportunity.stage:
            continue
        try:
            row = _row(opportunity, book)
            _check_order(row, deal)
        except Refused as refused:
            book.refused(
                OPPORTUNITIES,
                opportunity.line,
                opportunity.reference,
                refused.code,
                refused.detail,
            )
            continue
        rows.append(row)
    fresh = [row for row in rows if row.reference not in known]
    known |= _record(fresh, book)
    _engage([row for row in rows if row.stage == Stage.ENGAGING], known, book)
    _lose([row for row in rows if row.stage == Stage.LOST], known, book)
    _win([row for row in rows if row.stage == Stage.WON], known, book)
    stood = sum(
        1
        for one in opportunities
        if one.reference in known and one.reference not in {row.reference for row in rows}
    )
    return len(rows), stood


def _make_missing_clients(
    opportunities: Sequence[Opportunity], known: dict[str, Deal], book: Book
) -> None:
    """A deal names an account that the accounts' file lacks: the name alone makes a client."""
    missing: dict[str, Opportunity] = {}
    for one in opportunities:
        if not one.account or one.reference in known:
            continue
        if book.client_names.find(one.account) is None:
            missing.setdefault(one.account, one)
    if not missing:
        return
    catalogue.record(book=book, rows=[(name, "", None) for name in missing])
    for name, one in missing.items():
        book.client_names.add(name)
        book.mended(
            OPPORTUNITIES,
            one.line,
            one.reference,
            "client_made",
            f"{name!r} is not among the accounts: the client is recorded by its name.",
        )


def _row(one: Opportunity, book: Book) -> Row:
    agent = _meant(one, "sales_agent", one.agent, book.agent_names, book)
    if agent is None:
        raise Refused("agent_unknown", f"The agent {one.agent!r} is in no team.")
    product = None
    if one.product:
        product = _meant(one, "product", one.product, book.product_names, book)
        if product is None:
            raise Refused("product_unknown", f"There is no product {one.product!r}.")
    client = _meant(one, "account", one.account, book.client_names, book) if one.account else None
    if client is None:
        if one.stage == Stage.WON:
            raise Refused("client_missing", "A won deal names its account.")
        book.mended(
            OPPORTUNITIES,
            one.line,
            one.reference,
            "client_left_open",
            "The row names no account: the deal is recorded without a client.",
        )
    return Row(
        line=one.line,
        reference=one.reference,
        place=book.agents[agent],
        product_id=book.products[product] if product else None,
        client_id=book.clients[client] if client else None,  # type: ignore[arg-type]
        stage=one.stage,
        engaged_on=one.engaged_on,
        closed_on=one.closed_on,
        value=_value(one, book),
    )


def _meant(one: Opportunity, column: str, name: str, names: Names, book: Book) -> str | None:
    found = names.find(name)
    if found is not None and found != name:
        book.mended(
            OPPORTUNITIES,
            one.line,
            one.reference,
            f"{column}_respelt",
            f"{column} {name!r} is taken for {found!r}.",
        )
    return found


def _value(one: Opportunity, book: Book) -> Money:
    if one.value is None:
        if one.stage == Stage.WON:
            raise Refused("value_missing", "A won deal has its value.")
        return Money.zero(book.currency)
    value = money_of(one.value, currency=book.currency)
    if one.stage == Stage.WON and value.minor == 0:
        raise Refused("value_missing", "A won deal is worth more than zero.")
    return value


def _check_order(row: Row, deal: Deal | None) -> None:
    today = clock.today(current_organization().time_zone)
    for name, day in (("engage_date", row.engaged_on), ("close_date", row.closed_on)):
        if day is not None and day > today:
            raise Refused("date_in_future", f"{name} {day} has not come yet.")
    if row.stage in (Stage.WON, Stage.LOST):
        if row.closed_on is None:
            raise Refused("close_date_missing", "A closed deal has the day it was closed.")
        if row.engaged_on is not None and row.closed_on < row.engaged_on:
            raise Refused("closed_before_engaged", "The deal is closed before it was engaged.")
    if row.stage == Stage.ENGAGING and row.engaged_on is None:
        raise Refused("engage_date_missing", "A deal in this stage has the day it was engaged.")
    if deal is not None and not deal.is_open:
        raise Refused(
            "stage_differs",
            f"The deal stands as {deal.stage}; the row says {row.stage}. Closed deals stay.",
        )


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


def _engage(rows: Sequence[Row], known: dict[str, Any], book: Book) -> None:
    moves = [
        StageMove(
            deal_id=known[row.reference].id, to_stage=Stage.ENGAGING, occurred_on=row.engaged_on
        )
        for row in rows
        if known[row.reference].stage == Stage.PROSPECTING
    ]
    change_stages(actor=book.recorder, moves=moves)


def _lose(rows: Sequence[Row], known: dict[str, Any], book: Book) -> None:
    change_stages(
        actor=book.recorder,
        moves=[
            StageMove(
                deal_id=known[row.reference].id, to_stage=Stage.LOST, occurred_on=row.closed_on
            )
            for row in rows
        ],
    )


def _win(rows: Sequence[Row], known: dict[str, Any], book: Book) -> None:
    """Win deals; their invoices follow by themselves. Then the payment of each, received on the
    day it was closed, and the verifier's word on it."""
    if not rows:
        return
    win_deals(
        actor=book.recorder,
        wins=[
            DealWin(
                deal_id=known[row.reference].id,
                closed_on=row.closed_on,
                value=row.value,
                client_id=row.client_id,
            )
            for row in rows
        ],
    )
    payments = record_payments(
        actor=book.recorder,
        payments=[
            NewPayment(
                deal_id=known[row.reference].id,
                method=Method.BANK_TRANSFER,
                amount=row.value,
                paid_on=row.closed_on,  # type: ignore[arg-type]  # _check_order saw to it
                external_reference=row.reference,
                recorded_by=row.place.user_id,
            )
            for row in rows
        ],
    )
    verify_payments(
        actor=book.verifier,
        verifications=[
            Verification(payment_id=payment.id, remarks="From the sales book.")
            for payment in payments
        ],
    )
