"""Who may come in: people, their sessions, and the secrets that let them in once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from shared_apps.accounts.emails import AddressField
from shared_apps.kernel.models import Record, RecordQuerySet


class Factor(models.TextChoices):
    """What is asked beside the password. The later in this list, the stricter."""

    PASSWORD = "password", "Nothing"
    ANY_CODE = "code", "A one-time code by e-mail or SMS"
    EMAIL_CODE = "email_code", "A one-time code by e-mail"
    SMS_CODE = "sms_code", "A one-time code by SMS"
    TOTP = "totp", "An authenticator"

    @property
    def strictness(self) -> int:
        return list(Factor).index(self)


class Channel(models.TextChoices):
    """How a one-time code reaches a person."""

    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"


class UserQuerySet(RecordQuerySet["User"]):
    def with_email(self, email: str) -> UserQuerySet:
        """The one person behind an address, however it was typed."""
        return self.filter(email=email)

    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    """Writes nothing: people are made by services."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Django's own login forms look people up through this name."""
        user: User = self.with_email(username or "").get()
        return user


class User(Record, AbstractBaseUser):
    """A person in one schema: of an organization, or of the platform. Never deleted.

    Roles and rights are rows of ``access``. There are no groups and no user permissions of
    Django's here, because two sources of rights would contradict each other one day.
    """

    email = AddressField(max_length=254)
    full_name = models.CharField(max_length=200)
    phone = models.CharField(max_length=32, blank=True, default="")
    language = models.CharField(max_length=10, default="en")
    # Empty means the organization's own time zone.
    time_zone = models.CharField(max_length=64, blank=True, default="")
    is_active = models.BooleanField(default=True)
    # Only ever true in the public schema; `create_super_admin` is the one that sets it.
    is_staff = models.BooleanField(default=False)
    activated_at = models.DateTimeField(null=True, blank=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    password_changed_at = models.DateTimeField(null=True, blank=True)
    # A copy of "has a confirmed device", so that the one query of a request also answers it.
    second_factor_enrolled_at = models.DateTimeField(null=True, blank=True)

    # Sessions know when somebody came in; a second memory of it would only add a write.
    last_login = None

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    objects: Any = UserManager()

    class Meta:
        # Nobody deletes a person; who may close the door on one is a right of its own.
        default_permissions = ("add", "change", "view")
        permissions = [
            ("deactivate_user", "Can deactivate and reactivate user"),
            ("reset_second_factor", "Can reset the second factor of user"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["email"], name="accounts_user_email_unique"),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="accounts_user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(deactivated_at__isnull=True),
                name="accounts_user_deactivated_is_inactive",
            ),
        ]
        indexes = [models.Index(fields=["full_name", "id"], name="accounts_user_name_idx")]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def is_superuser(self) -> bool:
        """Django's admin and guardian ask for this name; it means platform staff."""
        return self.is_active and self.is_staff

    @property
    def is_invited(self) -> bool:
        """Invited, and has not come in yet."""
        return not self.is_active and self.activated_at is None

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """For Django's admin on the public host only; organizations ask ``access``."""
        return self.is_superuser

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_superuser


class SessionQuerySet(RecordQuerySet["Session"]):
    def live(self, *, at: datetime) -> SessionQuerySet:
        """Neither ended nor expired, and of a person who may still come in."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=at, user__is_active=True)


class Session(Record):
    """One sign-in on one device, and the family of refresh tokens that keeps it alive.

    Exactly one refresh token of the family is current. The former one is remembered, because
    a browser that refreshes twice at once must get the same successor both times.
    """

    class Method(models.TextChoices):
        CREDENTIALS = "credentials"
        LOGIN_CODE = "login_code"
        INVITATION = "invitation"

    class EndReason(models.TextChoices):
        SIGNED_OUT = "signed_out"
        REVOKED = "revoked"
        REUSE = "reuse"
        DEACTIVATED = "deactivated"
        CREDENTIALS_CHANGED = "credentials_changed"
        SECOND_FACTOR_RESET = "second_factor_reset"
        SURPLUS = "surplus"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="sessions")
    method = models.CharField(max_length=20, choices=Method.choices, default=Method.CREDENTIALS)
    # What its person calls the device.
    name = models.CharField(max_length=60, blank=True, default="")
    current_token_id = models.UUIDField()
    previous_token_id = models.UUIDField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    second_factor_at = models.DateTimeField(null=True, blank=True)
    # When the password was shown last, for whom nothing else is asked before sensitive acts.
    password_at = models.DateTimeField(null=True, blank=True)
    # What the strictest policy asked for when the session began; a later one asks the next.
    demanded_factor = models.CharField(
        max_length=10, choices=Factor.choices, default=Factor.PASSWORD
    )
    ip_address = models.CharField(max_length=45, blank=True, default="")
    user_agent = models.CharField(max_length=400, blank=True, default="")
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(
        max_length=20, choices=EndReason.choices, blank=True, default=""
    )

    objects: Any = SessionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_reason="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_reason="")),
                name="accounts_session_end_has_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "-created_at"],
                name="accounts_session_live_idx",
                condition=Q(revoked_at__isnull=True),
            ),
            models.Index(fields=["expires_at"], name="accounts_session_expiry_idx"),
            models.Index(fields=["user", "ip_address"], name="accounts_session_address_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d %H:%M}"


class OneTimeSecret(Record):
    """A link or code that lets its bearer do one thing once. Only its hash is kept."""

    class Purpose(models.TextChoices):
        INVITATION = "invitation"
        RESET = "password_reset"
        LOGIN_CODE = "login_code"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="one_time_secrets")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    secret_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["secret_hash"], name="accounts_secret_hash_unique"),
        ]
        indexes = [
            models.Index(fields=["user", "purpose"], name="accounts_secret_user_idx"),
            models.Index(fields=["expires_at"], name="accounts_secret_expiry_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"


class RecoveryCode(Record):
    """Opens the second factor once when the phone is lost. Only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "code_hash"], name="accounts_recovery_code_unique"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SignInPolicy(Record):
    """What is asked of everybody, or of whoever holds a role; the strictest one counts."""

    # The code of a role; empty for the whole organization.
    role = models.CharField(max_length=40, blank=True, default="")
    factor = models.CharField(max_length=10, choices=Factor.choices)

    class Meta:
        default_permissions = ("change", "view")
        verbose_name = "sign-in policy"
        verbose_name_plural = "sign-in policies"
        constraints = [
            models.UniqueConstraint(fields=["role"], name="accounts_policy_role_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.role or 'everybody'}: {self.factor}"


class SecuritySettings(Record):
    """How careful the organization is with what is sensitive. One row, or none: as in the code."""

    is_only = models.BooleanField(default=True, editable=False)
    # For how many minutes a second factor counts as fresh.
    step_up_minutes = models.PositiveSmallIntegerField(default=10)
    # Whether approving money asks for a fresh second factor too.
    step_up_for_money = models.BooleanField(default=False)
    # After so many minutes without a refresh a session ends, and after so many days in any case.
    session_idle_minutes = models.PositiveIntegerField(default=7 * 24 * 60)
    session_days = models.PositiveSmallIntegerField(default=30)

    class Meta:
        default_permissions = ()
        verbose_name = "security settings"
        verbose_name_plural = "security settings"
        constraints = [
            models.UniqueConstraint(fields=["is_only"], name="accounts_security_one_row"),
            models.CheckConstraint(condition=Q(is_only=True), name="accounts_security_is_only"),
            models.CheckConstraint(
                condition=Q(step_up_minutes__gte=1, step_up_minutes__lte=60),
                name="accounts_security_step_up_minutes",
            ),
            models.CheckConstraint(
                # A refresh token itself lives seven days.
                condition=Q(session_idle_minutes__gte=15, session_idle_minutes__lte=7 * 24 * 60),
                name="accounts_security_idle_minutes",
            ),
            models.CheckConstraint(
                condition=Q(session_days__gte=1, session_days__lte=90),
                name="accounts_security_session_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step_up_minutes} minutes"


class SignInCode(Record):
    """Six digits on their way to one person for one session. Deleted once used or too often wrong.

    The hash is keyed, because a million possible codes would be tried against a plain one at once.
    """

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="sign_in_codes")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    code_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["session"], name="accounts_signin_code_one"),
        ]
        indexes = [models.Index(fields=["expires_at"], name="accounts_signin_code_expiry")]

    def __str__(self) -> str:
        return str(self.id)


class ApiKeyQuerySet(RecordQuerySet["ApiKey"]):
    def live(self, *, at: datetime) -> ApiKeyQuerySet:
        """Neither revoked nor expired, and of a person who may still come in."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=at, user__is_active=True)


class ApiKey(Record):
    """What a machine shows in the place of a session: some of its owner's rights, until a day.

    Only a hash is kept. `networks` are the CIDR ranges it may be used from; none are no bounds.
    A key that takes over from another names it; the former one lives on until its new end.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    secret_hash = models.CharField(max_length=64)
    permissions = models.JSONField()
    networks = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="successors"
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_address = models.CharField(max_length=45, blank=True, default="")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: Any = ApiKeyQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "view", "delete")
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(fields=["prefix"], name="accounts_apikey_prefix_unique"),
        ]
        indexes = [models.Index(fields=["user", "-created_at"], name="accounts_apikey_user_idx")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def rate_identity(self) -> str:
        """Each key is counted by itself, and not among the requests of its owner."""
        return f"key:{self.pk}"


class AttemptCounter(models.Model):
    """How often something was tried in the present window; the key is a hash and names nobody."""

    id = models.UUIDField(primary_key=True, editable=False)
    window_ends_at = models.DateTimeField()
    attempts = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["window_ends_at"], name="accounts_attempt_window_idx")]

    def __str__(self) -> str:
        return f"{self.attempts} until {self.window_ends_at:%H:%M}"
