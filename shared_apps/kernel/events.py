"""What has happened, in the past tense: ids and values only, never personal data or secrets.

@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVerified(Event):
    app: ClassVar[str] = "payments"
    subject_type: ClassVar[str] = "payments.payment"
    amount: Money
"""

import re
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from .money import Money

_registered: dict[str, type["Event"]] = {}

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact about one subject. Subclasses name their app and the subject's type."""

    app: ClassVar[str]
    subject_type: ClassVar[str]

    subject_id: UUID

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Not super(): slots=True makes the class anew, and the old cell would be stale.
        object.__init_subclass__(**kwargs)
        if not hasattr(cls, "app") or not hasattr(cls, "subject_type"):
            return
        name = cls.event_name()
        known = _registered.get(name)
        if known is not None and known.__module__ != cls.__module__:
            raise TypeError(f"{name} is an event of {known.__module__} already.")
        _registered[name] = cls

    @classmethod
    def event_name(cls) -> str:
        """The name of this kind of event: "payments.payment_verified"."""
        return f"{cls.app}.{_WORD.sub('_', cls.__name__).lower()}"

    @property
    def name(self) -> str:
        return self.event_name()

    def payload(self) -> dict[str, Any]:
        """All fields as JSON values.

        :raises TypeError: a field holds something that has no exact JSON, such as a float.
        """
        return {field.name: _to_json(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """The event whose payload this is. Members that it does not know are left out,
        so that rows written by a newer release can be read.

        :raises KeyError: a member without a default is missing.
        """
        hints = get_type_hints(cls)
        values = {
            field.name: _from_json(payload[field.name], hints[field.name])
            for field in fields(cls)
            if field.name in payload
        }
        return cls(**values)


def event_type(name: str) -> type[Event]:
    """The class of an event, by its name.

    :raises LookupError: no imported module declares it.
    """
    try:
        return _registered[name]
    except KeyError:
        raise LookupError(f"No event is called {name!r}.") from None


def event_types() -> dict[str, type[Event]]:
    """Every declared event by its name."""
    return dict(sorted(_registered.items()))


def _to_json(value: Any) -> Any:
    if isinstance(value, Enum):
        return _to_json(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Money):
        return value.to_json()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | list | frozenset):
        items = [_to_json(item) for item in value]
        return sorted(items) if isinstance(value, frozenset) else items
    if isinstance(value, Mapping):
        return {str(key): _to_json(item) for key, item in value.items()}
    raise TypeError(f"An event does not carry a {type(value).__name__}.")


_READERS: dict[Any, Any] = {
    UUID: UUID,
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Money: lambda value: Money.parse(value["amount"], value["currency"]),
}


def _from_json(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        return _from_json(value, options[0]) if len(options) == 1 else value
    if origin in (tuple, list, frozenset):
        inner = (get_args(hint) or (Any,))[0]
        return origin(_from_json(item, inner) for item in value)
    if hint in _READERS:
        return _READERS[hint](value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value
