"""Whose sub-accounts a line of the chart keeps: each app of people registers how to know them.

Postings of domain apps come with ids that their apps have checked. By hand, an account can only
be opened for somebody whom the registered app knows.
"""

from collections.abc import Callable, Collection, Iterable
from uuid import UUID

Known = Callable[[Collection[UUID]], Iterable[UUID]]

_registered: dict[str, Known] = {}


def register(kind: str, known: Known) -> None:
    """Register at start-up: `known(ids)` answers those of the ids that exist."""
    _registered[kind] = known


def unknown(*, kind: str, ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that nobody of this kind has; all of them where no app knows the kind."""
    known = _registered.get(kind)
    return set(ids) - set(known(ids) if known is not None else ())
