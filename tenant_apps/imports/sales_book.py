"""Reads a CRM export: one file each of teams, accounts, products and opportunities.

A pure reader: text in, rows and findings out, one row at a time. What a row means for the books is
decided by the services.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from tenant_apps.imports.errors import SourceUnreadable

TEAMS = "sales_teams.csv"
ACCOUNTS = "accounts.csv"
PRODUCTS = "products.csv"
OPPORTUNITIES = "sales_pipeline.csv"

COLUMNS = {
    TEAMS: ("sales_agent", "manager", "regional_office"),
    ACCOUNTS: ("account", "sector", "office_location", "subsidiary_of"),
    PRODUCTS: ("product", "series", "sales_price"),
    OPPORTUNITIES: (
        "opportunity_id",
        "sales_agent",
        "product",
        "account",
        "deal_stage",
        "engage_date",
        "close_date",
        "close_value",
    ),
}
STAGES = {"prospecting", "engaging", "won", "lost"}
LONGEST_CELL = 200
_NOT_A_WORD = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, its cells trimmed, by column."""

    file_name: str
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that was mended (and went on) or refused (and did not), and why."""

    file_name: str
    line: int
    reference: str
    is_refusal: bool
    code: str
    detail: str


class Refused(Exception):
    """A row cannot be taken. It is reported, and the others go on."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One opportunity, in the source's own names. `value` is in major units, as it stands there."""

    line: int
    reference: str
    agent: str
    product: str
    account: str
    stage: str
    engaged_on: date | None
    closed_on: date | None
    value: Decimal | None


def likeness(name: str) -> str:
    """What two spellings of one name have in common: letters and digits, in small letters."""
    return _NOT_A_WORD.sub("", name.casefold())


@dataclass(slots=True)
class Names:
    """Finds a name however it is spelt, as long as one and only one is meant."""

    _exact: set[str] = field(default_factory=set)
    _alike: dict[str, set[str]] = field(default_factory=dict)

    def add(self, name: str) -> None:
        self._exact.add(name)
        self._alike.setdefault(likeness(name), set()).add(name)

    def find(self, name: str) -> str | None:
        """The known name that is meant, None where none or several could be."""
        if name in self._exact:
            return name
        alike = self._alike.get(likeness(name), set())
        return next(iter(alike)) if len(alike) == 1 else None


def lines_of(directory: Path, file_name: str) -> Iterator[Line | Finding]:
    """The file's lines in order; those that are no rows of it come as findings.

    :raises SourceUnreadable: the file is missing, is not UTF-8, or lacks a column.
    """
    path = directory / file_name
    if not path.is_file():
        raise SourceUnreadable(f"{file_name} is not in {directory}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _read(file_name, csv.reader(file))
    except UnicodeDecodeError as error:
        raise SourceUnreadable(f"{file_name} is not UTF-8: {error.reason}.") from None
    except csv.Error as error:
        raise SourceUnreadable(f"{file_name} is no CSV file: {error}.") from None


def _read(file_name: str, reader: "csv.Reader") -> Iterator[Line | Finding]:  # type: ignore[name-defined]
    header = [name.strip().casefold() for name in next(reader, [])]
    missing = [name for name in COLUMNS[file_name] if name not in header]
    if missing:
        raise SourceUnreadable(f"{file_name} lacks the column {', '.join(missing)}.")
    for cells in reader:
        number = reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            yield _refusal(
                file_name,
                number,
                cells[0][:LONGEST_CELL],
                "wrong_number_of_cells",
                f"The line has {len(cells)} cells; the header has {len(header)}.",
            )
            continue
        named = {name: " ".join(cell.split()) for name, cell in zip(header, cells, strict=True)}
        wrong = next(
            (n for n, cell in named.items() if len(cell) > LONGEST_CELL or "\x00" in cell), None
        )
        if wrong is not None:
            yield _refusal(
                file_name,
                number,
                cells[0][:LONGEST_CELL].replace("\x00", ""),
                "unreadable_cell",
                f"The cell {wrong} is too long or holds a NUL character.",
            )
            continue
        yield Line(file_name, number, named)


def _refusal(file_name: str, line: int, reference: str, code: str, detail: str) -> Finding:
    return Finding(file_name, line, reference, True, code, detail)


def opportunity_of(line: Line) -> Opportunity:
    """The opportunity that a line tells of.

    :raises Refused: a cell is missing or is not what its column holds.
    """
    reference = line["opportunity_id"]
    if not reference:
        raise Refused("reference_missing", "The row has no opportunity_id.")
    stage = line["deal_stage"].casefold()
    if stage not in STAGES:
        raise Refused("stage_unknown", f"There is no stage {line['deal_stage']!r}.")
    return Opportunity(
        line=line.number,
        reference=reference,
        agent=line["sales_agent"],
        product=line["product"],
        account=line["account"],
        stage=stage,
        engaged_on=_day(line["engage_date"], "engage_date"),
        closed_on=_day(line["close_date"], "close_date"),
        value=_amount(line["close_value"], "close_value"),
    )


def _day(text: str, column: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("date_malformed", f"{column} {text!r} is no date (YYYY-MM-DD).") from None


def _amount(text: str, column: str) -> Decimal | None:
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise Refused("amount_malformed", f"{column} {text!r} is no amount.") from None
    if not amount.is_finite() or amount < 0:
        raise Refused("amount_malformed", f"{column} {text!r} is not zero or more.")
    return amount


def price_of(line: Line) -> Decimal:
    """The list price of a product's line, in major units.

    :raises Refused: it is missing or no amount.
    """
    price = _amount(line["sales_price"], "sales_price")
    if price is None:
        raise Refused("amount_malformed", "sales_price is missing.")
    return price
