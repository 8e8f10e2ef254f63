"""What an import knows while it runs: people, teams, clients and products, by the book's names."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from shared_apps.kernel.actor import Actor
from tenant_apps.imports.models import ImportRun
from tenant_apps.imports.names import Names
from tenant_apps.imports.sales_book import Finding

SOURCE = "sales_book"
BYPASS = "import of a sales book: deals and people from before the organization came here"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent works."""

    user_id: UUID
    unit_id: UUID


@dataclass(slots=True)
class Book:
    """The book's names and the rows they stand for. Clients belong to the whole organization
    (`home`), not to one agent."""

    recorder: Actor
    verifier: Actor
    run: ImportRun
    currency: str
    today: date
    mail_domain: str
    home: Place
    agents: dict[str, Place] = field(default_factory=dict)
    clients: dict[str, UUID] = field(default_factory=dict)
    products: dict[str, UUID] = field(default_factory=dict)
    agent_names: Names = field(default_factory=Names)
    client_names: Names = field(default_factory=Names)
    product_names: Names = field(default_factory=Names)
    found: list[Finding] = field(default_factory=list)

    def bookmark(self) -> Callable[[], None]:
        """What forgets all that was learnt and found since now.

        Rows of a transaction that was given up are not there; their ids must not stay here.
        """
        learnt: tuple[dict[str, Any], ...] = (self.agents, self.clients, self.products)
        names = (self.agent_names, self.client_names, self.product_names)
        rows = [len(ids) for ids in learnt]
        known = [len(one) for one in names]
        found = list(self.found)

        def rewind() -> None:
            for ids, number in zip(learnt, rows, strict=True):
                while len(ids) > number:
                    ids.popitem()
            for one, number in zip(names, known, strict=True):
                one.forget_all_but(number)
            self.found[:] = found

        return rewind

    def mended(self, file_name: str, line: int, reference: str, code: str, detail: str) -> None:
        self.found.append(Finding(file_name, line, reference, False, code, detail))

    def refused(self, file_name: str, line: int, reference: str, code: str, detail: str) -> None:
        self.found.append(Finding(file_name, line, reference, True, code, detail))
