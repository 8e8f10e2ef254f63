"""The console's forms."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm
from unfold.widgets import (
    BASE_INPUT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from shared_apps.accounts.actors import visitor
from shared_apps.accounts.errors import NotEnrolled, TooManyAttempts
from shared_apps.accounts.passwords import LONGEST
from shared_apps.accounts.services import verify_code
from shared_apps.plans.models import Plan


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
        cleaned = super().clean()
        user: Any = self.get_user()
        if user is None:
            return cleaned
        refused = ValidationError("The address, the password or the code is not right.")
        try:
            with transaction.atomic():
                is_right = verify_code(
                    user=user,
                    code=str(self.cleaned_data.get("code", "")),
                    actor=visitor(self.request).changed(user_id=user.pk),
                )
        except TooManyAttempts as error:
            raise ValidationError(
                f"Too many wrong codes. Wait {error.retry_after} seconds."
            ) from None
        except NotEnrolled:
            raise refused from None
        if not is_right:
            raise refused
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
