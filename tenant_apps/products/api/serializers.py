"""What products and tax rates look like from outside."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from shared_apps.kernel.api.serializers import ExpandableSerializer, MoneyField, StrictSerializer
from tenant_apps.products.models import TaxCategory


class TaxRateOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    category = serializers.ChoiceField(choices=TaxCategory.choices)
    percent = serializers.DecimalField(max_digits=6, decimal_places=3)
    is_default = serializers.BooleanField()
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class NewTaxRateIn(StrictSerializer):
    code = serializers.CharField(max_length=20)
    name = serializers.CharField(max_length=100)
    category = serializers.ChoiceField(choices=TaxCategory.choices)
    percent = serializers.DecimalField(
        max_digits=6, decimal_places=3, min_value=Decimal(0), max_value=Decimal(100)
    )
    is_default = serializers.BooleanField(required=False)


class TaxRateIn(StrictSerializer):
    name = serializers.CharField(max_length=100)
    is_default = serializers.BooleanField()
    is_active = serializers.BooleanField()


class ProductOut(ExpandableSerializer):
    expandable = {"tax_rate": TaxRateOut}

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    series = serializers.CharField()
    list_price = MoneyField()
    tax_rate = serializers.UUIDField(source="tax_rate_id", allow_null=True)
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ProductIn(StrictSerializer):
    name = serializers.CharField(max_length=200)
    series = serializers.CharField(max_length=80, required=False, allow_blank=True)
    list_price = MoneyField()
    tax_rate = serializers.UUIDField(source="tax_rate_id", required=False, allow_null=True)
    is_active = serializers.BooleanField(required=False)


class NewProductIn(StrictSerializer):
    code = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=200)
    series = serializers.CharField(max_length=80, required=False, allow_blank=True)
    list_price = MoneyField()
    tax_rate = serializers.UUIDField(source="tax_rate_id", required=False, allow_null=True)
