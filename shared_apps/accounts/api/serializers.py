"""What the identity endpoints take and answer. Field names under /api/auth/ are dj-rest-auth's.

Its serializers lend their fields only: left to themselves they would check passwords uncounted,
and set them behind the services' back.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from dj_rest_auth import serializers as rest_auth
from rest_framework import serializers

from shared_apps.accounts import passwords
from shared_apps.accounts.models import Channel, Session, User
from shared_apps.accounts.second_factor import State, state_of
from shared_apps.accounts.services.second_factors import LONGEST_CODE
from shared_apps.accounts.step_up import Proof
from shared_apps.accounts.tokens import LONGEST_TOKEN
from shared_apps.kernel.api.serializers import StrictFields, StrictSerializer


class PasswordField(serializers.CharField):
    """A password exactly as it was typed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=passwords.LONGEST,
            trim_whitespace=False,
            write_only=True,
            style={"input_type": "password"},
            **options,
        )


def _require_same(attrs: dict[str, Any]) -> dict[str, Any]:
    if attrs["new_password1"] != attrs["new_password2"]:
        raise serializers.ValidationError(
            {"new_password2": serializers.ErrorDetail("The two are different.", "mismatch")}
        )
    return attrs


class SignInIn(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = PasswordField()


class RefreshIn(StrictSerializer):
    refresh = serializers.CharField(max_length=LONGEST_TOKEN)


class PasswordChangeIn(StrictFields, rest_auth.PasswordChangeSerializer):
    old_password = PasswordField()
    new_password1 = PasswordField()
    new_password2 = PasswordField()

    def validate_old_password(self, value: str) -> str:
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return _require_same(attrs)


class PasswordResetIn(StrictFields, rest_auth.PasswordResetSerializer):
    email = serializers.EmailField(max_length=254)

    def validate_email(self, value: str) -> str:
        return value


class PasswordResetConfirmIn(StrictFields, rest_auth.PasswordResetConfirmSerializer):
    new_password1 = PasswordField()
    new_password2 = PasswordField()
    # The token names the person by itself.
    uid = None
    token = serializers.CharField(max_length=1024)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return _require_same(attrs)


class InvitationAcceptanceIn(StrictSerializer):
    token = serializers.CharField(max_length=1024)
    password = PasswordField()
    full_name = serializers.CharField(max_length=200, required=False)


class LoginCodeIn(StrictSerializer):
    code = serializers.CharField(max_length=1024)


class SecondFactorCodeIn(StrictSerializer):
    code = serializers.CharField(
        max_length=LONGEST_CODE,
        help_text="Six digits of the authenticator or of a message, or a recovery code.",
    )


class CodeRequestIn(StrictSerializer):
    channel = serializers.ChoiceField(choices=Channel.choices)


class TotpCodeIn(StrictSerializer):
    code = serializers.RegexField(r"^[0-9]{6}$", max_length=6)


class PasswordIn(StrictSerializer):
    password = PasswordField()


class ProfileIn(StrictSerializer):
    full_name = serializers.CharField(max_length=200, required=False)
    phone = serializers.RegexField(
        r"^(\+[1-9][0-9]{6,14})?$",
        max_length=16,
        required=False,
        allow_blank=True,
        help_text="In the international form +254712345678, or empty.",
    )
    language = serializers.RegexField(r"^[a-z]{2}(-[a-z]{2,4})?$", max_length=7, required=False)
    time_zone = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        help_text="An IANA name; empty is the organization's own.",
    )

    def validate_time_zone(self, value: str) -> str:
        if value and value not in available_timezones():
            raise serializers.ValidationError("There is no such time zone.", code="unknown")
        return value


class ProfileOut(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = (
            "id",
            "email",
            "full_name",
            "phone",
            "language",
            "time_zone",
            "second_factor_enrolled_at",
            "created_at",
        )
        read_only_fields = fields


class AccountOut(rest_auth.UserDetailsSerializer):
    """The person as dj-rest-auth shows one: by `pk`."""

    class Meta(rest_auth.UserDetailsSerializer.Meta):
        fields = ("pk", "email", "full_name", "language", "time_zone")
        read_only_fields = fields


class TokensOut(serializers.Serializer[Any]):
    access = serializers.CharField(help_text="Goes into `Authorization: Bearer ...`; five minutes.")
    refresh = serializers.CharField(help_text="Fetches the next pair, once; seven days.")


class SignInOut(serializers.Serializer[Any]):
    """Tokens, and what the session still needs before it opens more than the second factor."""

    access = serializers.CharField(source="tokens.access")
    refresh = serializers.CharField(source="tokens.refresh")
    second_factor = serializers.SerializerMethodField()
    user = AccountOut()

    def get_second_factor(self, sign_in: Any) -> State:
        return state_of(sign_in.session)


class DetailOut(serializers.Serializer[Any]):
    detail = serializers.CharField()


class SessionIn(StrictSerializer):
    name = serializers.CharField(max_length=60, allow_blank=True)


class SessionOut(serializers.ModelSerializer[Session]):
    signed_in_by = serializers.ChoiceField(source="method", choices=Session.Method.choices)
    is_present = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = (
            "id",
            "name",
            "signed_in_by",
            "created_at",
            "last_seen_at",
            "expires_at",
            "second_factor_at",
            "ip_address",
            "user_agent",
            "is_present",
        )
        read_only_fields = fields

    def get_is_present(self, session: Session) -> bool:
        return bool(session.pk == self.context["request"].auth.pk)


class SecondFactorOut(serializers.Serializer[Any]):
    second_factor = serializers.ChoiceField(
        choices=[state.value for state in State], source="state"
    )
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=Channel.choices),
        help_text="By which ways a code can be sent to this session; empty where none is asked.",
    )
    is_demanded = serializers.BooleanField()
    enrolled_at = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()


class TotpEnrolmentOut(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Base32, for typing into an authenticator.")
    address = serializers.CharField(help_text="The otpauth URI, for a QR code.")


class StepUpIn(StrictSerializer):
    """One of the two: what `proof` asks for."""

    code = serializers.CharField(max_length=LONGEST_CODE, required=False)
    password = PasswordField(required=False)


class StepUpOut(serializers.Serializer[Any]):
    proof = serializers.ChoiceField(
        choices=[proof.value for proof in Proof],
        help_text="authenticator or message: send a code; password: send that.",
    )
    channels = serializers.ListField(child=serializers.ChoiceField(choices=Channel.choices))
    fresh_until = serializers.DateTimeField(allow_null=True)


class RecoveryCodesOut(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField())
