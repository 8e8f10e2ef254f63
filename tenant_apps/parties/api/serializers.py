"""What clients and contacts look like from outside."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shared_apps.kernel.api.serializers import ExpandableSerializer, StrictSerializer
from tenant_apps.parties.models import PartyKind


class ContactOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    client = serializers.UUIDField(source="party_id")
    full_name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    job_title = serializers.CharField()
    is_primary = serializers.BooleanField()
    receives_invoices = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ContactIn(StrictSerializer):
    full_name = serializers.CharField(max_length=200)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    job_title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    is_primary = serializers.BooleanField(required=False)
    receives_invoices = serializers.BooleanField(required=False)


class AddressOut(serializers.Serializer[Any]):
    line_1 = serializers.CharField(source="address_line_1")
    line_2 = serializers.CharField(source="address_line_2")
    city = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField()


class AddressIn(StrictSerializer):
    line_1 = serializers.CharField(
        source="address_line_1", max_length=200, required=False, allow_blank=True
    )
    line_2 = serializers.CharField(
        source="address_line_2", max_length=200, required=False, allow_blank=True
    )
    city = serializers.CharField(max_length=100, required=False, allow_blank=True)
    postal_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    country = serializers.RegexField(
        r"^([A-Z]{2})?$", max_length=2, required=False, allow_blank=True
    )


class ClientOut(ExpandableSerializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=PartyKind.choices)
    name = serializers.CharField()
    legal_name = serializers.CharField()
    tax_number = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    address = AddressOut(source="*")
    sector = serializers.CharField()
    parent_company = serializers.UUIDField(source="parent_id", allow_null=True)
    payment_terms_days = serializers.IntegerField(allow_null=True)
    owner = serializers.UUIDField(source="owner_id", allow_null=True)
    unit = serializers.UUIDField(source="unit_id", allow_null=True)
    external_source = serializers.CharField()
    external_reference = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ClientIn(StrictSerializer):
    kind = serializers.ChoiceField(choices=PartyKind.choices, required=False)
    name = serializers.CharField(max_length=200)
    legal_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    tax_number = serializers.CharField(max_length=50, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    address = AddressIn(required=False)
    sector = serializers.CharField(max_length=80, required=False, allow_blank=True)
    parent_company = serializers.UUIDField(source="parent_id", required=False, allow_null=True)
    payment_terms_days = serializers.IntegerField(
        min_value=0, max_value=365, required=False, allow_null=True
    )

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        """The address is nested outside and flat inside."""
        address = attrs.pop("address", None)
        return {**attrs, **address} if isinstance(address, dict) else attrs


class NewClientIn(ClientIn):
    external_source = serializers.CharField(max_length=40, required=False, allow_blank=True)
    external_reference = serializers.CharField(max_length=200, required=False, allow_blank=True)
