"""Reads a CRM export: one file each of teams, accounts, products and opportunities.

A pure reader: text in, rows and findings out, one row at a time. What a row means for the books is
decided by the services.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from tenant_apps.imports.cells import cells_of_lines
from tenant_apps.imports.errors import SourceUnreadable

TEAMS = "sales_teams.csv"
ACCOUNTS = "accounts.csv"
PRODUCTS = "products.csv"
OPPORTUNITIES = "sales_pipeline.csv"

# The columns that are read, and how many characters each may hold.
COLUMNS: Mapping[str, Mapping[str, int]] = {
    TEAMS: {"sales_agent": 100, "manager": 60, "regional_office": 50},
    ACCOUNTS: {"account": 200, "sector": 80, "office_location": 200, "subsidiary_of": 200},
    PRODUCTS: {"product": 200, "series": 80, "sales_price": 40},
    OPPORTUNITIES: {
        "opportunity_id": 100,
        "sales_agent": 100,
        "product": 200,
        "account": 200,
        "deal_stage": 40,
        "engage_date": 40,
        "close_date": 40,
        "close_value": 40,
    },
}
STAGES = {"prospecting", "engaging", "won", "lost"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Not what Decimal takes: that knows exponents, underscores and the digits of other scripts.
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")
# Within the precision of decimal arithmetic, so that nothing is ever rounded here.
_LONGEST_AMOUNT = 24
_LONGEST_REFERENCE = 200


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


def check_files(*, directory: Path) -> None:
    """Read all files once, from end to end, before anything is written.

    :raises SourceUnreadable: one is missing, is not UTF-8, or lacks a column.
    """
    for file_name in COLUMNS:
        for _ in lines_of(directory=directory, file_name=file_name):
            pass


def lines_of(*, directory: Path, file_name: str) -> Iterator[Line | Finding]:
    """The file's lines in order; those that are no rows of it come as findings.

    :raises SourceUnreadable: the file is missing, is not UTF-8, or lacks a column.
    """
    path = directory / file_name
    if not path.is_file():
        raise SourceUnreadable(f"{file_name} is not in {directory}.")
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = _header(file_name, file.readline())
            for number, cells in cells_of_lines(lines=file, width=len(header), first=2):
                if any(cell.strip() for cell in cells):
                    yield _line(file_name, number, header, cells)
    except UnicodeDecodeError as error:
        raise SourceUnreadable(f"{file_name} is not UTF-8: {error.reason}.") from None


def _header(file_name: str, line: str) -> list[str]:
    _, cells = next(cells_of_lines(lines=iter([line]), width=0, first=1), (1, []))
    header = [name.strip().casefold() for name in cells]
    wanted = COLUMNS[file_name]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise SourceUnreadable(f"{file_name} lacks the column {', '.join(missing)}.")
    if any(header.count(name) > 1 for name in wanted):
        raise SourceUnreadable(f"{file_name} names a column twice.")
    return header


def _line(file_name: str, number: int, header: list[str], cells: list[str]) -> Line | Finding:
    reference = " ".join(cells[0].replace("\x00", "").split())[:_LONGEST_REFERENCE]
    if len(cells) != len(header):
        detail = f"The line has {len(cells)} cells; the header has {len(header)}."
        return Finding(file_name, number, reference, True, "wrong_number_of_cells", detail)
    named = {name: " ".join(cell.split()) for name, cell in zip(header, cells, strict=True)}
    for name, longest in COLUMNS[file_name].items():
        if len(named[name]) > longest or "\x00" in named[name]:
            detail = f"{name} has more than {longest} characters, or a NUL among them."
            return Finding(file_name, number, reference, True, "unreadable_cell", detail)
    return Line(file_name, number, named)


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
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Refused("date_malformed", f"{column} {text!r} is no date (YYYY-MM-DD).")


def _amount(text: str, column: str) -> Decimal | None:
    if not text:
        return None
    if not _AMOUNT.fullmatch(text):
        raise Refused("amount_malformed", f"{column} {text!r} is no amount of zero or more.")
    if len(text) > _LONGEST_AMOUNT:
        raise Refused("amount_too_large", f"{column} {text!r} has too many digits.")
    return Decimal(text)


def price_of(line: Line) -> Decimal:
    """The list price of a product's line, in major units.

    :raises Refused: it is missing or no amount.
    """
    price = _amount(line["sales_price"], "sales_price")
    if price is None:
        raise Refused("amount_malformed", "sales_price is missing.")
    return price
