"""Small sales books of our own, written into a folder, and what an import made of them."""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import connection

from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor
from tenant_apps.deals.models import Deal
from tenant_apps.imports.models import ImportRun
from tenant_apps.imports.services import import_sales_book
from tests.people import make_person

VERIFIER = "vera.verifier@acme.example"
TEAMS = [
    ("sales_agent", "manager", "regional_office"),
    ("Amara Okoro", "Mina Manager", "North"),
    ("Bela Bartos", "Mina Manager", "North"),
    ("Chi Chukwu", "Noor Nasser", "South"),
]
ACCOUNTS = [
    ("account", "sector", "office_location", "subsidiary_of"),
    ("Daughter Ltd", "retail", "Kenya", "Mother Ltd"),
    ("Mother Ltd", "retail", "Kenya", ""),
    ("Lone Ltd", "mining", "Ghana", ""),
]
PRODUCTS = [
    ("product", "series", "sales_price"),
    ("Super Drill", "Drill", "550"),
    ("Mega Pump", "Pump", "1096.50"),
]
HEADER = (
    "opportunity_id",
    "sales_agent",
    "product",
    "account",
    "deal_stage",
    "engage_date",
    "close_date",
    "close_value",
)
DEALS = [
    ("W1", "Amara Okoro", "Super Drill", "Mother Ltd", "Won", "2025-01-05", "2025-03-01", "500"),
    ("W2", "Amara Okoro", "Mega Pump", "Lone Ltd", "Won", "2025-02-05", "2025-05-02", "1000.50"),
    ("W3", "Chi Chukwu", "Super Drill", "Daughter Ltd", "Won", "2025-02-05", "2025-02-28", "250"),
    ("L1", "Bela Bartos", "Mega Pump", "Lone Ltd", "Lost", "2025-01-05", "2025-03-09", "0"),
    ("E1", "Bela Bartos", "SuperDrill", "Lone Ltd", "Engaging", "2025-04-01", "", ""),
    ("E2", "Chi Chukwu", "Mega Pump", "", "Engaging", "2025-04-02", "", ""),
    ("P1", "Chi Chukwu", "Mega Pump", "", "Prospecting", "", "", ""),
]
# What two runs may differ in: their own rows, and moments.
OWN_TABLES = {"imports_importrun", "imports_importfinding"}

Row = Sequence[str]


def write(folder: Path, file_name: str, rows: Iterable[Row]) -> None:
    with (folder / file_name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def book(
    folder: Path,
    *,
    deals: Iterable[Row] = tuple(DEALS),
    teams: Iterable[Row] = tuple(TEAMS),
    accounts: Iterable[Row] = tuple(ACCOUNTS),
    products: Iterable[Row] = tuple(PRODUCTS),
) -> Path:
    """Write a book's four files."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "sales_teams.csv", teams)
    write(folder, "accounts.csv", accounts)
    write(folder, "products.csv", products)
    write(folder, "sales_pipeline.csv", [HEADER, *deals])
    return folder


def make_verifier() -> User:
    return make_person("Vera Verifier", role="verifier")


def run_import(folder: Path, *, report: Path | None = None, **changes: Any) -> ImportRun:
    """Import the book as the command does."""

    def verifying(user: User) -> Actor:
        return actor_for_user(user_id=user.pk)

    values: dict[str, Any] = {
        "actor": system_actor("import", quiet=True),
        "verifier_email": VERIFIER,
        "verifier_actor": verifying,
        "directory": folder,
        "mail_domain": "acme.invalid",
        "report": report or folder / "report.csv",
        "progress": lambda line: None,
    }
    return import_sales_book(**(values | changes))


def deal(reference: str) -> Deal:
    found: Deal = Deal.objects.get(external_reference=reference)
    return found


def changed(reference: str, **cells: str) -> list[tuple[str, ...]]:
    """The book's deals, one of them with other cells."""
    columns = ("id", "agent", "product", "account", "stage", "engaged", "closed", "value")
    return [
        tuple({**dict(zip(columns, row, strict=True)), **cells}.values())
        if row[0] == reference
        else row
        for row in DEALS
    ]


def reported(folder: Path) -> list[dict[str, str]]:
    """The rows of the report."""
    with (folder / "report.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes(folder: Path) -> set[tuple[str, str]]:
    """Reference and code of each row of the report."""
    return {(row["reference"], row["code"]) for row in reported(folder)}


def checksums(schema: str, *, without: Iterable[str] = OWN_TABLES) -> Mapping[str, str]:
    """One text for the content of each table of a schema."""
    found: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY 1",
            [schema],
        )
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            if table in set(without):
                continue
            cursor.execute(f'SELECT md5(t::text) FROM "{schema}"."{table}" t ORDER BY 1')
            lines = "".join(row for (row,) in cursor.fetchall())
            found[table] = hashlib.sha256(lines.encode()).hexdigest()
    return found
