"""Clients and products of the book."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from django.db import transaction

from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.operations import step
from tenant_apps.imports.amounts import money_of
from tenant_apps.imports.context import SOURCE, Book
from tenant_apps.imports.halving import in_halves
from tenant_apps.imports.names import digest
from tenant_apps.imports.sales_book import (
    ACCOUNTS,
    PRODUCTS,
    Finding,
    Line,
    Refused,
    lines_of,
    price_of,
)
from tenant_apps.parties.models import Party
from tenant_apps.parties.services import NewClient, record_clients
from tenant_apps.products.models import Product
from tenant_apps.products.services import NewProduct, record_products

ROWS_PER_BATCH = 250
_LONGEST_CODE = 40


@step
@transaction.atomic
def import_clients(*, directory: Path, book: Book) -> None:
    """Make the clients that do not stand yet, parents before their subsidiaries."""
    lines: dict[str, Line] = {}
    for line in lines_of(directory=directory, file_name=ACCOUNTS):
        if isinstance(line, Finding):
            book.found.append(line)
        elif not line["account"]:
            book.refused(ACCOUNTS, line.number, "", "name_missing", "The row names no account.")
        elif line["account"] in lines:
            book.refused(
                ACCOUNTS,
                line.number,
                line["account"],
                "account_repeated",
                "The account stands in a row above.",
            )
        else:
            lines[line["account"]] = line
    book.clients |= known_clients()
    waiting = [line for name, line in lines.items() if name not in book.clients]
    while waiting:
        ready = [
            line
            for line in waiting
            if not line["subsidiary_of"] or line["subsidiary_of"] in book.clients
        ]
        if not ready:
            _break_off(waiting, lines, book)
            ready = waiting
        record(
            book=book,
            rows=[
                (line["account"], line["sector"], book.clients.get(line["subsidiary_of"]))
                for line in ready
            ],
        )
        waiting = [line for line in waiting if line["account"] not in book.clients]
    for name in book.clients:
        book.client_names.add(name)


def _break_off(waiting: list[Line], lines: dict[str, Line], book: Book) -> None:
    """Parents that are missing, or go round in a circle: the rows are taken without them."""
    for line in waiting:
        parent = line["subsidiary_of"]
        reason = "is in a circle" if parent in lines else "is not in the file"
        book.mended(
            ACCOUNTS,
            line.number,
            line["account"],
            "parent_left_out",
            f"The parent {parent!r} {reason}: the client is recorded without a parent.",
        )


@step
def known_clients() -> dict[str, UUID]:
    """Clients that an import made, by the name the book gave them."""
    return dict(
        Party.objects.filter(external_source=SOURCE).values_list("external_reference", "id")
    )


@step
def record(*, book: Book, rows: Sequence[tuple[str, str, UUID | None]]) -> None:
    """Record clients (name, sector, parent) and learn their ids."""
    for start in range(0, len(rows), ROWS_PER_BATCH):
        batch = rows[start : start + ROWS_PER_BATCH]
        made = record_clients(
            actor=book.recorder,
            clients=[
                NewClient(
                    name=name,
                    sector=sector,
                    parent_id=parent,
                    owner_id=book.home.user_id,
                    unit_id=book.home.unit_id,
                    external_source=SOURCE,
                    external_reference=name,
                )
                for name, sector, parent in batch
            ],
        )
        book.clients |= {party.external_reference: party.id for party in made}


@step
@transaction.atomic
def import_products(*, directory: Path, book: Book) -> None:
    """Make the products that do not stand yet."""
    known = dict(Product.objects.values_list("name", "id"))
    codes = {code.casefold() for code in Product.objects.values_list("code", flat=True)}
    fresh: dict[str, tuple[Line, NewProduct]] = {}
    seen: set[str] = set()
    for line in lines_of(directory=directory, file_name=PRODUCTS):
        if isinstance(line, Finding):
            book.found.append(line)
            continue
        name = line["product"]
        try:
            if not name:
                raise Refused("name_missing", "The row names no product.")
            if name in seen:
                raise Refused("product_repeated", "The product stands in a row above.")
            price = money_of(price_of(line), currency=book.currency)
        except Refused as refused:
            book.refused(PRODUCTS, line.number, name, refused.code, refused.detail)
            continue
        seen.add(name)
        if name not in known:
            code = _code(name, codes)
            product = NewProduct(code=code, name=name, series=line["series"], list_price=price)
            fresh[name] = (line, product)

    def write(part: Sequence[tuple[Line, NewProduct]]) -> None:
        made = record_products(actor=book.recorder, products=[product for _, product in part])
        book.products |= {product.name: product.id for product in made}

    def refuse(one: tuple[Line, NewProduct], error: DomainError) -> None:
        line, product = one
        detail = error.detail or str(error.title)
        book.refused(PRODUCTS, line.number, product.name, error.code, detail)

    book.products |= known
    in_halves(list(fresh.values()), write=write, refuse=refuse)
    for name in book.products:
        book.product_names.add(name)


def _code(name: str, taken: set[str]) -> str:
    """A code made of a name, unlike those that are taken whatever their case."""
    code = name.upper().replace(" ", "-")[:_LONGEST_CODE]
    if code.casefold() in taken:
        code = f"{code[: _LONGEST_CODE - 9]}-{digest(name)}"
    taken.add(code.casefold())
    return code
