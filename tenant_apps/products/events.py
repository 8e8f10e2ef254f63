"""What happened to products and tax rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRecorded(Event):
    app: ClassVar[str] = "products"
    subject_type: ClassVar[str] = "products.product"

    code: str
    list_price_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged(Event):
    app: ClassVar[str] = "products"
    subject_type: ClassVar[str] = "products.product"

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRateRecorded(Event):
    app: ClassVar[str] = "products"
    subject_type: ClassVar[str] = "products.taxrate"

    code: str
    category: str
    percent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRateChanged(Event):
    app: ClassVar[str] = "products"
    subject_type: ClassVar[str] = "products.taxrate"

    fields: tuple[str, ...]
