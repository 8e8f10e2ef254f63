"""The terms of a list's order, and the position of a row in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet


@dataclass(frozen=True, slots=True)
class Term:
    """One column of an order. Nulls stand last, except when it is walked backwards."""

    path: str
    descending: bool
    nullable: bool
    nulls_last: bool = True

    @property
    def spelled(self) -> str:
        return ("-" if self.descending else "") + self.path

    def reversed(self) -> Self:
        return replace(self, descending=not self.descending, nulls_last=not self.nulls_last)


def terms_of(queryset: QuerySet[Any], ordering: Sequence[str]) -> list[Term]:
    """The order as terms, made total by the id (or all columns of a composite one) at its end."""
    key = [field.name for field in queryset.model._meta.pk_fields]
    terms: list[Term] = []
    for spelled in ordering:
        asked, descending = spelled.removeprefix("-"), spelled.startswith("-")
        for path in key if asked == "pk" else [asked]:
            terms.append(Term(path, descending, _is_nullable(queryset, path)))
        if set(key) <= {term.path for term in terms}:
            return terms
    last_descends = terms[-1].descending if terms else False
    ordered = {term.path for term in terms}
    terms += [Term(path, last_descends, nullable=False) for path in key if path not in ordered]
    return terms


def _is_nullable(queryset: QuerySet[Any], path: str) -> bool:
    if path in queryset.query.annotations:
        return True
    model: type[Model] | None = queryset.model
    for name in path.split("__"):
        if model is None:
            return True
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            return True
        if field.null:
            return True
        model = field.related_model if field.is_relation else None  # type: ignore[assignment]
    return False


def encode_position(row: Any, terms: Sequence[Term]) -> list[Any]:
    """The row's values in the order, as JSON."""
    return [_encoded(_value(row, term.path)) for term in terms]


def decode_position(values: Sequence[Any]) -> list[Any]:
    """The values of a position that `encode_position` made."""
    return [_decoded(value) for value in values]


def _value(row: Any, path: str) -> Any:
    if hasattr(row, path):
        return _id_of(getattr(row, path))
    for name in path.split("__"):
        row = getattr(row, name, None)
    return _id_of(row)


def _id_of(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else value


# bool before int and datetime before date: each is also the other.
_TAGS: tuple[tuple[str, type, Any], ...] = (
    ("u", UUID, UUID),
    ("t", datetime, datetime.fromisoformat),
    ("d", date, date.fromisoformat),
    ("n", Decimal, Decimal),
)


def _encoded(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    for tag, kind, _ in _TAGS:
        if isinstance(value, kind):
            text = value.isoformat() if isinstance(value, date) else str(value)
            return [tag, text]
    raise TypeError(f"A list cannot be ordered by a {type(value).__name__}.")


def _decoded(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    tag, text = value
    reader = next(read for known, _, read in _TAGS if known == tag)
    return reader(text)
