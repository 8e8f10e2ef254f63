"""The console's forms."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import (
    BASE_INPUT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from shared_apps.accounts.passwords import LONGEST
from shared_apps.plans.models import Plan

_REFUSED = (
    "The address, the password or the code is not right."
    " After several wrong attempts, wait a quarter of an hour."
)


class SecondFactorLoginForm(AuthenticationForm):
    """Address, password and second factor in one step. One answer for whatever is wrong."""

    code = forms.CharField(
        label="Code of the second factor",
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "class": " ".join(BASE_INPUT_CLASSES),
            }
        ),
    )

    def clean(self) -> Any:
        # The base's own check would look at the password alone.
        cleaned = self.cleaned_data
        if not {"username", "password", "code"} <= cleaned.keys():
            return cleaned
        user: Any = authenticate(
            self.request,
            username=cleaned["username"],
            password=cleaned["password"],
            otp_token=cleaned["code"],
        )
        if user is None:
            raise ValidationError(_REFUSED)
        self.confirm_login_allowed(user)
        self.user_cache = user
        # django-otp takes the device into the session when Django signs the user in.
        user.otp_device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
        return cleaned


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """A new password of one's own, checked here and set by the service."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].validators.append(MaxLengthValidator(LONGEST))


class ReasonForm(forms.Form):
    """Why: it stands in the audit log."""

    reason = forms.CharField(
        label="Reason", max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


class PlanForm(ReasonForm):
    """Another plan, and why."""

    plan = forms.ChoiceField(label="Plan", widget=UnfoldAdminSelectWidget())
    field_order = ("plan", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans = Plan.objects.order_by("position")
        self.fields["plan"].choices = [(plan.code, plan.name) for plan in plans]  # type: ignore[attr-defined]
