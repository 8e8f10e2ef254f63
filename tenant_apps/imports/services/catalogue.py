"""Clients and products of the book."""

from pathlib import Path

from django.db import transaction

from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.imports.amounts import money_of
from tenant_apps.imports.context import SOURCE, Book
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


@step
@transaction.atomic
def import_clients(*, directory: Path, book: Book) -> None:
    """Make the clients that do not stand yet, parents before their subsidiaries."""
    lines: dict[str, Line] = {}
    for line in lines_of(directory, ACCOUNTS):
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
        ready = [line for line in waiting if line["subsidiary_of"] in {"", *book.clients}]
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
        done = {line.number for line in ready}
        waiting = [line for line in waiting if line.number not in done]
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


def known_clients() -> dict[str, object]:
    """Clients that an import made, by the name the book gave them."""
    return dict(
        Party.objects.filter(external_source=SOURCE).values_list("external_reference", "id")
    )


@step
def record(*, book: Book, rows: list[tuple[str, str, object]]) -> None:
    """Record clients (name, sector, parent) and learn their ids."""
    assert book.home is not None
    for start in range(0, len(rows), ROWS_PER_BATCH):
        batch = rows[start : start + ROWS_PER_BATCH]
        made = record_clients(
            actor=book.recorder,
            clients=[
                NewClient(
                    name=name,
                    sector=sector,
                    parent_id=parent,  # type: ignore[arg-type]  # an id of known_clients
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
    fresh: dict[str, NewProduct] = {}
    for line in lines_of(directory, PRODUCTS):
        if isinstance(line, Finding):
            book.found.append(line)
            continue
        name = line["product"]
        try:
            if not name:
                raise Refused("name_missing", "The row names no product.")
            if name in fresh:
                raise Refused("product_repeated", "The product stands in a row above.")
            price: Money = money_of(price_of(line), currency=book.currency)
        except Refused as refused:
            book.refused(PRODUCTS, line.number, name, refused.code, refused.detail)
            continue
        book.product_names.add(name)
        if name not in known:
            fresh[name] = NewProduct(
                code=name[:40].upper().replace(" ", "-"),
                name=name,
                series=line["series"],
                list_price=price,
            )
    made = record_products(actor=book.recorder, products=list(fresh.values())) if fresh else []
    known |= {product.name: product.id for product in made}
    book.products |= known
