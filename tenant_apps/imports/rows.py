"""From the book's opportunities to rows in our terms: names resolved, days and amounts judged."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from uuid import UUID

from shared_apps.kernel.money import Money
from tenant_apps.deals.models import CLOSED_STAGES, Deal, Stage
from tenant_apps.imports.amounts import money_of
from tenant_apps.imports.context import Book, Place
from tenant_apps.imports.names import Names
from tenant_apps.imports.sales_book import (
    OPPORTUNITIES,
    Finding,
    Opportunity,
    Refused,
    lines_of,
    opportunity_of,
)

ROWS_PER_BATCH = 500
_ORDER = {Stage.PROSPECTING: 0, Stage.ENGAGING: 1, Stage.WON: 2, Stage.LOST: 2}


@dataclass(frozen=True, slots=True)
class Row:
    """An opportunity that can be recorded, in our terms. `account` is still the book's name.

    Without `is_valued` the book gives no value, and `value` is zero.
    """

    line: int
    reference: str
    place: Place
    product_id: UUID | None
    account: str
    stage: str
    engaged_on: date | None
    closed_on: date | None
    value: Money
    is_valued: bool
    client_id: UUID | None = None


def batches_of(*, directory: Path, book: Book) -> Iterator[list[Opportunity]]:
    """The opportunities in batches; rows that cannot be read become findings of the book."""
    rows = _opportunities(directory, book)
    while batch := list(islice(rows, ROWS_PER_BATCH)):
        yield batch


def _opportunities(directory: Path, book: Book) -> Iterator[Opportunity]:
    seen: set[str] = set()
    for line in lines_of(directory=directory, file_name=OPPORTUNITIES):
        if isinstance(line, Finding):
            book.found.append(line)
            continue
        reference = line["opportunity_id"]
        try:
            opportunity = opportunity_of(line)
            if reference in seen:
                raise Refused("opportunity_repeated", "The opportunity stands in a row above.")
        except Refused as refused:
            book.refused(OPPORTUNITIES, line.number, reference, refused.code, refused.detail)
            continue
        seen.add(reference)
        yield opportunity


def row_of(*, one: Opportunity, book: Book) -> Row:
    """The row, but for its client.

    :raises Refused: a name is unknown, or days and value are not what the stage needs.
    """
    agent = _meant(one, "sales_agent", one.agent, book.agent_names, book)
    if agent is None:
        raise Refused("agent_unknown", f"The agent {one.agent!r} is in no team.")
    product = None
    if one.product:
        product = _meant(one, "product", one.product, book.product_names, book)
        if product is None:
            raise Refused("product_unknown", f"There is no product {one.product!r}.")
    if one.stage == Stage.WON and not one.account:
        raise Refused("client_missing", "A won deal names its account.")
    _check_days(one, today=book.today)
    return Row(
        line=one.line,
        reference=one.reference,
        place=book.agents[agent],
        product_id=book.products[product] if product else None,
        account=one.account,
        stage=one.stage,
        engaged_on=one.engaged_on,
        closed_on=one.closed_on,
        value=_value(one, book),
        is_valued=one.value is not None,
    )


def with_client(*, row: Row, one: Opportunity, deal: Deal | None, book: Book) -> Row:
    """The row with its client, whose name is known by now; without one, the book says so.

    A deal that stands with a client already keeps it, and there is nothing to tell.
    """
    name = _meant(one, "account", one.account, book.client_names, book) if one.account else None
    if name is None:
        if deal is None or deal.client_id is None:
            book.mended(
                OPPORTUNITIES,
                one.line,
                one.reference,
                "client_left_open",
                "The row names no account: the deal stands without a client.",
            )
        return row
    return replace(row, client_id=book.clients[name])


def check_follows(*, one: Opportunity, deal: Deal) -> None:
    """Whether the row tells of something later than what stands.

    :raises Refused: the deal is closed, or stands further than the row.
    """
    if not deal.is_open or _ORDER[Stage(one.stage)] < _ORDER[Stage(deal.stage)]:
        raise Refused(
            "stage_differs", f"The deal stands as {deal.stage}; the row says {one.stage}."
        )


def check_same(*, one: Opportunity, deal: Deal, book: Book) -> None:
    """Whether a row whose stage stands already says nothing else than what stands.

    :raises Refused: value or account differ; what stands here stays.
    """
    if one.value is not None:
        value = money_of(one.value, currency=book.currency)
        if deal.value != value:
            raise Refused("value_differs", f"The deal stands with {deal.value}; it stays.")
    if one.account:
        name = book.client_names.find(one.account)
        if name is None or book.clients[name] != deal.client_id:
            raise Refused("account_differs", "The deal stands with another client; it stays.")


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


def _check_days(one: Opportunity, *, today: date) -> None:
    for name, day in (("engage_date", one.engaged_on), ("close_date", one.closed_on)):
        if day is not None and day > today:
            raise Refused("date_in_future", f"{name} {day} has not come yet.")
    if one.stage in CLOSED_STAGES:
        if one.closed_on is None:
            raise Refused("close_date_missing", "A closed deal has the day it was closed.")
        if one.engaged_on is not None and one.closed_on < one.engaged_on:
            raise Refused("closed_before_engaged", "The deal is closed before it was engaged.")
    if one.stage == Stage.ENGAGING and one.engaged_on is None:
        raise Refused("engage_date_missing", "A deal in this stage has the day it was engaged.")
