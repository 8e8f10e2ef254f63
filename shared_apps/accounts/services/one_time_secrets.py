"""Links and codes that work once: signed for the organization, kept only as a hash."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

from django.core.signing import BadSignature

from shared_apps.accounts.errors import SecretRefused
from shared_apps.accounts.models import OneTimeSecret, User
from shared_apps.kernel import clock, ids
from shared_apps.kernel.operations import step
from tenants import signing

Purpose = OneTimeSecret.Purpose

LIFETIMES = {
    Purpose.INVITATION: timedelta(days=7),
    Purpose.RESET: timedelta(hours=1),
    Purpose.LOGIN_CODE: timedelta(minutes=5),
}
_LONGEST = 1024


@step
def issue(*, user: User, purpose: Purpose, issued_by: UUID | None = None) -> str:
    """A new secret of the user. The text is returned here and exists nowhere else."""
    secret = ids.random_token()
    row = OneTimeSecret.objects.create(
        user=user,
        purpose=purpose,
        secret_hash=_hash(secret),
        expires_at=clock.now() + LIFETIMES[purpose],
        created_by_id=issued_by,
    )
    return signing.sign({"id": str(row.id), "secret": secret}, purpose=_seal(purpose))


@step
def redeem(*, text: str, purpose: Purpose) -> tuple[OneTimeSecret, User]:
    """Use the secret up; it, and its person, locked until the caller's transaction ends.

    When that transaction fails, the secret has not been used. Whether the person may come in is
    the caller's question.

    :raises SecretRefused: forged, expired, used, withdrawn, or of another organization.
    """
    if len(text) > _LONGEST:
        raise SecretRefused
    try:
        value = signing.unsign(text, purpose=_seal(purpose), max_age=LIFETIMES[purpose])
        secret_id, secret_hash = UUID(value["id"]), _hash(value["secret"])
    except (BadSignature, KeyError, TypeError, ValueError, AttributeError):
        raise SecretRefused from None
    now = clock.now()
    secret: OneTimeSecret | None = OneTimeSecret.objects.filter(pk=secret_id).first()
    if secret is None:
        raise SecretRefused
    # The person first, as everybody does who changes a person and then withdraws their secrets.
    user: User = User.objects.locked(secret.user_id)
    usable = OneTimeSecret.objects.filter(
        id=secret_id,
        secret_hash=secret_hash,
        purpose=purpose,
        used_at__isnull=True,
        withdrawn_at__isnull=True,
        expires_at__gt=now,
    )
    # One conditional statement: of two who redeem at once, one finds no row.
    if usable.update(used_at=now, updated_at=now) != 1:
        raise SecretRefused
    return secret, user


@step
def withdraw(*, user_id: UUID, purposes: list[Purpose] | None = None) -> int:
    """Make all of a person's unused secrets worthless; how many there were."""
    now = clock.now()
    unused = OneTimeSecret.objects.filter(
        user_id=user_id, used_at__isnull=True, withdrawn_at__isnull=True
    )
    if purposes is not None:
        unused = unused.filter(purpose__in=purposes)
    return unused.update(withdrawn_at=now, updated_at=now)


def _seal(purpose: Purpose) -> str:
    return f"accounts.{purpose.value}"


def _hash(secret: str) -> str:
    # The secret is 256 random bits: a slow hash would protect nothing more.
    return hashlib.sha256(secret.encode()).hexdigest()
