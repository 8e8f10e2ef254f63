"""What is sold, and the tax on it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned


class TaxCategory(models.TextChoices):
    """The duty categories of EN 16931 (UNCL 5305) that an organization of this kind meets."""

    STANDARD = "S", "Standard rate"
    ZERO = "Z", "Zero rated"
    EXEMPT = "E", "Exempt"
    REVERSE_CHARGE = "AE", "Reverse charge"
    OUTSIDE_SCOPE = "O", "Outside the scope of tax"


class TaxRateQuerySet(RecordQuerySet["TaxRate"]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class TaxRate(Record, Versioned):
    """A tax category with its percent, under a code of the organization's own."""

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    category = models.CharField(max_length=2, choices=TaxCategory)
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    is_default = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = TaxRateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("code"), name="products_taxrate_code"),
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="products_taxrate_one_default",
            ),
            models.CheckConstraint(
                condition=(
                    Q(category=TaxCategory.STANDARD, percent__gt=0, percent__lte=100)
                    | (~Q(category=TaxCategory.STANDARD) & Q(percent=0))
                ),
                name="products_taxrate_percent_fits_category",
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(is_active=True),
                name="products_taxrate_default_is_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.percent.normalize():f} %"

    @staticmethod
    def percent_fits(*, category: str, percent: Decimal) -> bool:
        """Whether a category may carry this percent."""
        if category == TaxCategory.STANDARD:
            return Decimal(0) < percent <= Decimal(100)
        return percent == 0


class ProductQuerySet(RecordQuerySet["Product"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def with_codes(self, codes: Iterable[str]) -> Self:
        """The products with these codes, whatever the case."""
        lowered = {code.lower() for code in codes}
        return self.alias(lowered_code=Lower("code")).filter(lowered_code__in=lowered)


class Product(Record, Versioned):
    """Something the organization sells, at a list price before tax."""

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    series = models.CharField(max_length=80, blank=True, default="")
    list_price_minor = MinorUnitsField()
    currency = CurrencyField()
    list_price = MoneyOf("list_price_minor", "currency")
    tax_rate = models.ForeignKey(
        TaxRate, null=True, blank=True, on_delete=models.PROTECT, related_name="products"
    )
    is_active = models.BooleanField(default=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("code"), name="products_product_code"),
            models.CheckConstraint(
                condition=Q(list_price_minor__gte=0), name="products_product_price_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(code=""), name="products_product_named"
            ),
        ]
        indexes = [models.Index(Lower("name"), name="products_product_name_lower")]

    def __str__(self) -> str:
        return self.name
