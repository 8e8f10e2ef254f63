"""Model fields."""

import pytest
from django.core.exceptions import ValidationError
from django.db import models

from shared_apps.kernel.fields import (
    CreatedAtField,
    CurrencyField,
    MinorUnitsField,
    MoneyOf,
    UpdatedAtField,
)
from shared_apps.kernel.money import Money


class Bill(models.Model):
    amount_minor = MinorUnitsField(null=True)
    currency = CurrencyField()
    amount = MoneyOf("amount_minor", "currency")

    class Meta:
        app_label = "kerneltest"
        managed = False


def test_two_columns_are_read_as_one_amount() -> None:
    assert Bill(amount_minor=125_000, currency="KES").amount == Money.parse("1250.00", "KES")
    assert Bill(amount_minor=None, currency="KES").amount is None


def test_an_amount_is_written_by_its_columns() -> None:
    bill = Bill(amount_minor=1, currency="KES")
    with pytest.raises(AttributeError):
        bill.amount = Money.parse("2.00", "KES")
    assert bill.amount_minor == 1


@pytest.mark.parametrize("code", ["kes", "XXX", "KE", "KESH"])
def test_a_currency_is_one_that_exists(code: str) -> None:
    with pytest.raises(ValidationError):
        Bill(amount_minor=1, currency=code).full_clean()
    Bill(amount_minor=1, currency="KES").full_clean()


@pytest.mark.parametrize(
    "field", [CurrencyField(), MinorUnitsField(), CreatedAtField(), UpdatedAtField()]
)
def test_migrations_can_write_it_down(field: models.Field) -> None:  # type: ignore[type-arg]
    _, path, args, kwargs = field.deconstruct()
    assert path.startswith("shared_apps.kernel.fields.")
    assert type(field)(*args, **kwargs).deconstruct()[1:] == (path, args, kwargs)
