"""What a password costs to check."""

from django.conf import settings
from django.contrib.auth.hashers import get_hashers

from shared_apps.accounts import hashers


def test_is_argon2_and_nothing_else() -> None:
    assert [hasher.algorithm for hasher in get_hashers()] == ["argon2"]
    assert [
        f"{hashers.__name__}.{hashers.FrugalArgon2PasswordHasher.__name__}"
    ] == settings.PASSWORD_HASHERS
