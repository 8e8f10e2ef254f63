"""Sign-ups on their way, and the subdomains that organizations hold."""

from django.db import models

from shared_apps.kernel.fields import CurrencyField
from shared_apps.kernel.models import Record


class SignUpState(models.TextChoices):
    REQUESTED = "requested", "Waits for its e-mail to be verified"
    VERIFIED = "verified", "Waits for its schema"
    READY = "ready", "The organization stands"


class SignUp(Record):
    """What a person told when signing an organization up.

    `organization_id` is chosen at the first step, so that every later step can be repeated and
    finds what it did before. The link's token is stored as a hash; the password as its own hash,
    which is cleared once the admin exists.
    """

    state = models.CharField(
        max_length=10, choices=SignUpState.choices, default=SignUpState.REQUESTED
    )
    organization_id = models.UUIDField(unique=True)
    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=200)
    subdomain = models.CharField(max_length=63)
    country = models.CharField(max_length=2)
    tax_number = models.CharField(max_length=40, blank=True, default="")
    base_currency = CurrencyField()
    time_zone = models.CharField(max_length=64)
    fiscal_year_start_month = models.PositiveSmallIntegerField()
    fiscal_year_start_day = models.PositiveSmallIntegerField()
    plan_code = models.CharField(max_length=40)
    admin_name = models.CharField(max_length=200)
    admin_email = models.EmailField(max_length=254)
    password_hash = models.CharField(max_length=200, blank=True, default="")
    admin_user_id = models.UUIDField(null=True, blank=True)
    token_hash = models.CharField(max_length=64)
    token_expires_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["token_hash"], name="sign_up_token_is_unique"),
        )
        indexes = (
            models.Index(fields=["state", "created_at"], name="sign_up_by_state"),
            models.Index(fields=["admin_email", "subdomain"], name="sign_up_by_email"),
        )

    def __str__(self) -> str:
        return f"{self.subdomain} ({self.state})"


class HeldSubdomain(Record):
    """A subdomain and what the eye sees of it; no two that look alike are held at once."""

    subdomain = models.CharField(max_length=63)
    skeleton = models.CharField(max_length=63)
    organization_id = models.UUIDField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["subdomain"], name="held_subdomain_is_unique"),
            models.UniqueConstraint(fields=["skeleton"], name="held_subdomain_looks_unique"),
        )

    def __str__(self) -> str:
        return self.subdomain
