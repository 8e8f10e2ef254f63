"""Model fields that every app shares."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from . import clock, currencies
from .money import Money


def validate_currency(code: str) -> None:
    """:raises ValidationError: there is no such currency."""
    if not currencies.is_currency(code):
        raise ValidationError("This is not a currency.", code="invalid_currency")


class MinorUnitsField(models.BigIntegerField):
    """An amount in minor units (cents); its currency stands in a field beside it."""

    description = "Minor units of a currency"


class CurrencyField(models.CharField):
    """A currency's ISO 4217 code."""

    description = "ISO 4217 currency code"
    default_validators = [validate_currency]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        super().__init__(*args, **kwargs)


class CreatedAtField(models.DateTimeField):
    """When the row was made, by the house's clock."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", clock.now)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)


class UpdatedAtField(CreatedAtField):
    """When the row was last saved, by the house's clock.

    `QuerySet.update()` and `bulk_update()` do not come by here: they name the field.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        moment = clock.now()
        setattr(model_instance, self.attname, moment)
        return moment


class MoneyOf:
    """Reads two columns as one `Money`: `amount = MoneyOf("amount_minor", "currency")`.

    Read-only: a service writes the columns by their names. None where the amount is null.
    """

    def __init__(self, minor: str, currency: str) -> None:
        self.minor = minor
        self.currency = currency

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        minor = getattr(instance, self.minor)
        return None if minor is None else Money(minor, getattr(instance, self.currency))

    def __set__(self, instance: Any, value: Any) -> None:
        raise AttributeError(f"Set {self.minor} and {self.currency} instead.")
