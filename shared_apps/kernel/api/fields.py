"""Serializer fields that every app shares."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.utils import html

from shared_apps.kernel import currencies
from shared_apps.kernel.money import InvalidAmount, Money

_UNKNOWN_FIELD = "There is no such field."
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

MONEY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "An amount: a decimal text with exactly its currency's decimals.",
    "properties": {
        "amount": {
            "type": "string",
            "pattern": r"^-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,4})?$",
            "examples": ["1250.00"],
        },
        "currency": {
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "examples": ["KES"],
        },
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
}


@extend_schema_field(MONEY_SCHEMA, component_name="Money")
class MoneyField(serializers.Field):
    """`Money` as {"amount": "1250.00", "currency": "KES"}.

    Input below `minimum` minor units is refused; zero by default, 1 asks for something
    above zero, None allows amounts of either sign.
    In a form the parts are `name.amount` and `name.currency`, or one JSON text.
    """

    default_error_messages = {
        "invalid": 'Money is an object like {{"amount": "1250.00", "currency": "KES"}}.',
        "too_small": "The amount must be at least {minimum}.",
    }

    def __init__(self, *, minimum: int | None = 0, **kwargs: Any) -> None:
        self.minimum = minimum
        super().__init__(**kwargs)

    def get_value(self, dictionary: Any) -> Any:
        if not html.is_html_input(dictionary):
            return super().get_value(dictionary)
        if self.field_name in dictionary:
            return _json_or_text(dictionary[self.field_name])
        parts = html.parse_html_dict(dictionary, prefix=str(self.field_name))
        return parts.dict() or serializers.empty

    def to_internal_value(self, data: Any) -> Money:
        if not isinstance(data, Mapping) or not {"amount", "currency"} <= set(data):
            self.fail("invalid")
        unknown = sorted(set(data) - {"amount", "currency"})
        if unknown:
            raise serializers.ValidationError(
                {
                    str(name)[:100]: [ErrorDetail(_UNKNOWN_FIELD, code="unknown_field")]
                    for name in unknown[:20]
                }
            )
        amount, currency = data["amount"], data["currency"]
        if not isinstance(amount, str) or not isinstance(currency, str):
            self.fail("invalid")
        try:
            money = Money.parse(amount, currency)
        except InvalidAmount as exc:
            raise serializers.ValidationError(exc.detail, code=exc.code) from None
        if self.minimum is not None and money.minor < self.minimum:
            self.fail("too_small", minimum=Money(self.minimum, currency).to_string())
        return money

    def to_representation(self, value: Money) -> dict[str, str]:
        return value.to_json()


def _json_or_text(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text


class DayField(serializers.DateField):
    """A day that somebody means: one centuries away is a slip of the finger."""

    default_error_messages = {
        "invalid": "Days are written 2026-03-31.",
        "far_away": "Days lie between {first} and {last}.",
    }
    first, last = date(1900, 1, 1), date(2199, 12, 31)

    def to_internal_value(self, value: Any) -> date:
        # Python reads 20260331 and 2026-W14-2 as well; the API describes one form.
        if isinstance(value, str) and not _ISO_DAY.fullmatch(value):
            self.fail("invalid")
        day: date = super().to_internal_value(value)
        if not self.first <= day <= self.last:
            self.fail("far_away", first=self.first, last=self.last)
        return day


class InstantField(serializers.DateTimeField):
    """An instant, with its offset from UTC: without one it would mean another in each place."""

    default_error_messages = {"no_offset": "An instant has an offset: 2026-11-20T09:30:00+03:00."}

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("no_offset")
        instant: datetime = super().enforce_timezone(value)
        return instant


class CurrencyField(serializers.CharField):
    """A currency's code."""

    default_error_messages = {"invalid_currency": "This is not a currency."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_length", 3)
        kwargs.setdefault("max_length", 3)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if not currencies.is_currency(code):
            self.fail("invalid_currency")
        return code
