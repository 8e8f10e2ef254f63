"""Passwords: what is good enough, and a check that takes as long for nobody as for somebody."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from shared_apps.accounts.errors import PasswordTooWeak
from shared_apps.accounts.models import User
from shared_apps.kernel.errors import FieldError

LONGEST = 128


def is_right(*, user: User | None, password: str) -> bool:
    """Whether the password is the user's. For no user the same work is done, and it is wrong."""
    if user is None:
        make_password(password)
        return False
    return user.check_password(password)


def require_strong(*, password: str, user: User, field: str) -> None:
    """:raises PasswordTooWeak: a validator refuses the password; `field` is where it stood."""
    try:
        if len(password) > LONGEST:
            raise ValidationError(
                f"A password has {LONGEST} characters at most.", code="password_too_long"
            )
        validate_password(password, user=user)
    except ValidationError as refusal:
        raise PasswordTooWeak(
            errors=[
                FieldError.at(
                    field,
                    code=problem.code or "invalid",
                    detail=" ".join(problem.messages),
                )
                for problem in refusal.error_list
            ]
        ) from None
