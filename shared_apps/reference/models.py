"""What all organizations look up and none of them writes: currencies and exchange rates."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from shared_apps.kernel.fields import CreatedAtField, CurrencyField
from shared_apps.kernel.ids import uuid7

_code = RegexValidator(r"^[A-Z]{3}$")


class Currency(models.Model):
    """A currency that organizations may keep money in."""

    code = CurrencyField(primary_key=True)
    decimals = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("code",)
        verbose_name_plural = "currencies"

    def __str__(self) -> str:
        return self.code


class ExchangeRate(models.Model):
    """How many units of `quote` one unit of `base` bought on a day, as its source published it.

    Codes are not keys to currencies: published tables reach back to ones that are no more.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    day = models.DateField()
    base = models.CharField(max_length=3, validators=[_code])
    quote = models.CharField(max_length=3, validators=[_code])
    rate = models.DecimalField(max_digits=20, decimal_places=10, validators=[MinValueValidator(0)])
    source = models.CharField(max_length=40)
    created_at = CreatedAtField()

    class Meta:
        ordering = ("-day", "base", "quote")
        constraints = (
            # The columns in the order of the one question that is asked.
            models.UniqueConstraint(
                fields=["quote", "day", "base"], name="reference_exchangerate_day"
            ),
            models.CheckConstraint(name="reference_exchangerate_positive", condition=Q(rate__gt=0)),
            models.CheckConstraint(
                name="reference_exchangerate_two", condition=~Q(base=F("quote"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.day} {self.base}/{self.quote} {self.rate}"
