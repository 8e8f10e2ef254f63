"""What accounts tells other floors at start-up."""

from __future__ import annotations

from shared_apps.accounts import second_factor
from shared_apps.accounts import subscribers as _subscribers  # noqa: F401  (registers consumers)
from shared_apps.accounts.models import ApiKey, SecuritySettings, SignInPolicy, User
from shared_apps.audit.history import track


def _is_platform_staff(user: User) -> bool:
    return user.is_staff


def register() -> None:
    """Demand a second factor of super-admins; keep the field history of people."""
    second_factor.register_policy(_is_platform_staff)
    track(User, exclude=("password",), mask=("email", "full_name", "phone"))
    track(SignInPolicy)
    track(SecuritySettings)
    # When it was used last is no change of it.
    track(ApiKey, exclude=("secret_hash", "last_used_at", "last_used_address"))
