"""Serializer bases: input is strict, output may be expanded.

Inputs are named `PaymentIn`, outputs `PaymentOut`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.utils import html

from .fields import CurrencyField, DayField, InstantField, MoneyField

__all__ = [
    "CurrencyField",
    "DayField",
    "ExpandableSerializer",
    "InstantField",
    "MoneyField",
    "NoBody",
    "StrictFields",
    "StrictModelSerializer",
    "StrictSerializer",
    "ask_for_nothing",
]

MAX_ITEMS = 500
_MAX_UNKNOWN_NAMED = 20
_MAX_NAME = 100
_MAX_CHOICES = 30


class StrictFields:
    """Refuses fields that the serializer does not take, together with all other errors."""

    unknown_field_message = "There is no such field."

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> Any:
        """A list of these has an end, unless its own `max_length` says otherwise."""
        kwargs.setdefault("max_length", MAX_ITEMS)
        return super().many_init(*args, **kwargs)  # type: ignore[misc]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields: dict[str, serializers.Field[Any, Any, Any, Any]] = super().get_fields()  # type: ignore[misc]
        name_choices(fields)
        return fields

    def to_internal_value(self, data: Any) -> Any:
        unknown = self._unknown_in(data) if isinstance(data, Mapping) else []
        refused: dict[str, Any] = {
            str(name)[:_MAX_NAME]: [ErrorDetail(self.unknown_field_message, code="unknown_field")]
            for name in unknown[:_MAX_UNKNOWN_NAMED]
        }
        if isinstance(data, Mapping) and not html.is_html_input(data):
            refused |= self._bent_in(data)
        try:
            value = super().to_internal_value(data)  # type: ignore[misc]
        except serializers.ValidationError as exc:
            if refused and isinstance(exc.detail, dict):
                raise serializers.ValidationError({**refused, **exc.detail}) from None
            raise
        if refused:
            raise serializers.ValidationError(refused)
        return value

    def _bent_in(self, data: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
        found = {}
        for field in self._writable_fields:  # type: ignore[attr-defined]
            message = _bent(field, data.get(field.field_name))
            if message:
                found[field.field_name] = [ErrorDetail(message, code="invalid")]
        return found

    def _unknown_in(self, data: Mapping[str, Any]) -> list[str]:
        known = {field.field_name for field in self._writable_fields}  # type: ignore[attr-defined]
        if html.is_html_input(data):
            # A form spells nested places "lines[0].amount".
            return sorted(name for name in data if _root_of(name) not in known)
        return sorted((name for name in data if name not in known), key=str)


# What the API describes as a text is not taken as a number, and so on: DRF would bend it.
_KINDS: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], type, str], ...] = (
    (serializers.CharField, str, "This is not a text."),
    (serializers.UUIDField, str, "This is not an id."),
    (serializers.DecimalField, str, "This is not a decimal in a text."),
    (serializers.BooleanField, bool, "Say true or false."),
    (serializers.IntegerField, int, "This is not a whole number."),
)


def _bent(field: Any, value: Any) -> str:
    """What to say of a value that is not of the field's own JSON type; empty if it is."""
    if value is None or isinstance(value, dict | list):
        return ""
    for kind, wanted, message in _KINDS:
        if isinstance(field, kind):
            fits = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
            return "" if fits else message
    return ""


def name_choices(fields: Mapping[str, Any]) -> None:
    """Let fields that take one of a few values say which, when they get another."""
    for field in fields.values():
        if isinstance(field, serializers.ChoiceField) and len(field.choices) <= _MAX_CHOICES:
            field.error_messages["invalid_choice"] = one_of(field.choices)


def one_of(choices: Iterable[Any]) -> str:
    """What to say of a value that is none of the choices."""
    return f"It is one of: {', '.join(str(choice) for choice in choices)}."


def _root_of(name: str) -> str:
    return name.split("[", 1)[0].split(".", 1)[0]


class StrictSerializer(StrictFields, serializers.Serializer[Any]):
    """The base of every input."""


class StrictModelSerializer(StrictFields, serializers.ModelSerializer[Any]):
    """The base of an input that takes its fields' limits from a model."""


def ask_for_nothing(serializer: Any) -> None:
    """Let the input leave out any field, so that a PATCH says only what changes.

    Not DRF's `partial`, which reaches into nested objects: a line that is sent is whole.
    """
    for field in serializer.fields.values():
        field.required = False
        field.default = serializers.empty


class NoBody(StrictSerializer):
    """The input of an act that takes none."""


class ExpandableSerializer(serializers.Serializer[Any]):
    """An output whose declared relations can be shown in full: `?expand=client,invoice`.

    `expandable` maps a name to the serializer that shows it, read from the attribute of
    that name. A relation inside one is named with a dot (`?expand=client.contacts`).
    """

    expandable: ClassVar[Mapping[str, type[serializers.BaseSerializer[Any]]]] = {}

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for name, inner in self._expanded().items():
            shown = self.expandable[name]
            # Null where there is none, and where the caller may not see the one there is.
            fields[name] = shown(
                read_only=True, allow_null=True, context={**self._context, "expand": inner}
            )
        return fields

    def _expanded(self) -> dict[str, tuple[str, ...]]:
        """The relations to show here, each with those to show inside it."""
        wanted: dict[str, tuple[str, ...]] = {}
        # Its own context, not the root's: what to show inside is said to each level apart.
        for path in self._context.get("expand", ()):
            name, _, rest = path.partition(".")
            if name in self.expandable:
                wanted[name] = (*wanted.get(name, ()), *([rest] if rest else []))
        return wanted
