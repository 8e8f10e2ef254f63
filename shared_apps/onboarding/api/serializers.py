import zoneinfo
from typing import Any

from rest_framework import serializers

from shared_apps.kernel.api.serializers import CurrencyField, StrictSerializer
from shared_apps.onboarding.countries import COUNTRIES

_TIME_ZONES = frozenset(zoneinfo.available_timezones())


class SignUpIn(StrictSerializer):
    name = serializers.CharField(max_length=200, help_text="What people call the organization.")
    legal_name = serializers.CharField(max_length=200, help_text="As it stands on invoices.")
    subdomain = serializers.CharField(max_length=63, help_text="3 to 32 of a-z, 0-9 and hyphens.")
    country = serializers.CharField(
        min_length=2, max_length=2, help_text="ISO 3166-1 alpha-2, for instance KE."
    )
    tax_number = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    base_currency = CurrencyField(help_text="ISO 4217. The books are kept in it.")
    time_zone = serializers.CharField(max_length=64, help_text="IANA, for instance Africa/Nairobi.")
    fiscal_year_start_month = serializers.IntegerField(min_value=1, max_value=12, default=1)
    fiscal_year_start_day = serializers.IntegerField(min_value=1, max_value=28, default=1)
    plan = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    admin_name = serializers.CharField(max_length=200)
    admin_email = serializers.EmailField(max_length=254)
    password = serializers.CharField(
        min_length=12, max_length=200, trim_whitespace=False, write_only=True
    )

    def validate_country(self, value: str) -> str:
        code = value.upper()
        if code not in COUNTRIES:
            raise serializers.ValidationError("This is no country code of ISO 3166-1.")
        return code

    def validate_time_zone(self, value: str) -> str:
        if value not in _TIME_ZONES:
            raise serializers.ValidationError("This is no time zone of the IANA database.")
        return value

    def validate_subdomain(self, value: str) -> str:
        return value.lower()


class SignUpOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    subdomain = serializers.CharField()
    next = serializers.CharField(help_text="What to do now.")


class VerificationIn(StrictSerializer):
    token = serializers.CharField(max_length=200, help_text="From the link that was mailed.")
    password = serializers.CharField(
        max_length=200,
        trim_whitespace=False,
        write_only=True,
        help_text="The one given at sign-up: it proves that both were the same person.",
    )
    subdomain = serializers.CharField(
        max_length=63,
        required=False,
        default="",
        allow_blank=True,
        help_text="Another one, where somebody was quicker.",
    )

    def validate_subdomain(self, value: str) -> str:
        return value.lower()


class LandingOut(serializers.Serializer[Any]):
    organization = serializers.UUIDField(source="organization.id")
    address = serializers.URLField(help_text="The organization's own address.")
    login_code = serializers.CharField(
        allow_blank=True,
        help_text="Signs the admin in once, at the organization's address, within five minutes:"
        " POST /api/v1/login-codes/redemption/. Empty later: sign in with the password.",
    )


class SubdomainOut(serializers.Serializer[Any]):
    subdomain = serializers.CharField()
    available = serializers.BooleanField()
    detail = serializers.CharField(allow_blank=True)
