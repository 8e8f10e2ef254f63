"""Which tables are sealed, and how a row of theirs is written down to be hashed.

Whoever owns a table registers its chain at start-up. A *form* lists the table's columns with their
kinds, all of them: it is the form's number that a segment keeps, so that rows stay verifiable when
a later release adds a column. docs/seals.md describes the text for people outside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """How a column becomes text."""

    TEXT = "text"
    UUID = "uuid"
    INTEGER = "integer"
    DAY = "day"
    MOMENT = "moment"
    BYTES = "bytes"
    JSON = "json"
    ADDRESS = "address"


# What a column becomes in the database: it depends on no setting of the connection.
_PLAIN = "t.{0}::text"
_TEXTS: dict[Kind, str] = {
    Kind.TEXT: _PLAIN,
    Kind.UUID: _PLAIN,
    Kind.INTEGER: _PLAIN,
    Kind.DAY: "to_char(t.{0}, 'YYYY-MM-DD')",
    Kind.MOMENT: "to_char(t.{0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    Kind.BYTES: "encode(t.{0}, 'hex')",
    # jsonb has one text for equal values: keys in their order, one space after colon and comma.
    Kind.JSON: _PLAIN,
    Kind.ADDRESS: _PLAIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The columns of a table as they were from one release to the next.

    `absent` says which text the columns that are new in this form have in rows that were sealed
    before it: an older form does not cover them, so nothing else may stand there.
    """

    number: int
    columns: tuple[tuple[str, Kind], ...]
    absent: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)


@dataclass(frozen=True, kw_only=True)
class Chain:
    """One table whose rows are sealed.

    `code` stands for the chain in each row's entry and never changes. Rows are sealed in the order
    of (`moment`, id) among those that are found together. `permission` is what reading a row needs.
    """

    name: str
    code: int
    table: str
    moment: str
    permission: str
    forms: tuple[Form, ...]
    # Whether retention may drop rows: there is one function for it, for the audit's.
    may_be_dropped: bool = False
    # Whether the platform's own schema has the table, and seals it, too.
    on_platform: bool = False

    @property
    def newest(self) -> Form:
        return self.forms[-1]

    def form(self, number: int) -> Form | None:
        """The form of this number, None where this release knows none."""
        return next((form for form in self.forms if form.number == number), None)

    @cached_property
    def moment_at(self) -> int:
        """The place of the moment among the newest form's columns."""
        return self.newest.names.index(self.moment)

    @cached_property
    def texts(self) -> str:
        """The newest form's columns of a row `t` as SQL, each as its text. The id comes first."""
        columns = self.newest.columns
        if columns[0] != ("id", Kind.UUID):
            raise ValueError(f"the chain {self.name} does not begin with its id")
        return ", ".join(_TEXTS[kind].format(name) for name, kind in columns)

    def line(self, form: Form, values: Sequence[str | None]) -> str:
        """The row's canonical text; `values` are those of the newest form, in its order."""
        named = zip(self.newest.names, values, strict=True)
        wanted = set(form.names)
        row: dict[str, str | None] = {"row": f"{self.name}.{form.number}"}
        row.update((name, value) for name, value in named if name in wanted)
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

    def added_since(self, form: Form) -> dict[str, str | None]:
        """Columns that came after this form, with the text that its rows have there."""
        later = [each for each in self.forms if each.number > form.number]
        return {name: text for each in later for name, text in each.absent.items()}


def moment_text(moment: datetime) -> str:
    """A moment as it stands in rows and segments: UTC, microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_chains: dict[str, Chain] = {}


def register(chain: Chain) -> None:
    """Have the rows of a table sealed in every organization. Called at start-up.

    :raises ValueError: another chain has the name or the code.
    """
    known = [each for each in _chains.values() if each != chain]
    if any(each.name == chain.name or each.code == chain.code for each in known):
        raise ValueError(f"the chain {chain.name} or its code {chain.code} is taken")
    _chains[chain.name] = chain


def registered() -> tuple[Chain, ...]:
    """All chains, in the order of their codes."""
    return tuple(sorted(_chains.values(), key=lambda chain: chain.code))


def by_name(name: str) -> Chain:
    """
    :raises KeyError: no chain has this name.
    """
    return _chains[name]


def by_code(code: int) -> Chain:
    """
    :raises KeyError: no chain has this code.
    """
    return next(chain for chain in _chains.values() if chain.code == code)
