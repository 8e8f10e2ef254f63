"""People: made, closed out, let in again. Nobody is ever deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from shared_apps.accounts import passwords
from shared_apps.accounts.emails import MAX_LENGTH, normalise_email
from shared_apps.accounts.errors import (
    AlreadyDeactivated,
    CannotDeactivateSelf,
    EmailMalformed,
    EmailTaken,
    NotDeactivated,
)
from shared_apps.accounts.events import (
    ProfileChanged,
    UserCreated,
    UserDeactivated,
    UserReactivated,
)
from shared_apps.accounts.models import Session, User
from shared_apps.accounts.services import one_time_secrets
from shared_apps.accounts.services.api_keys import revoke_all_keys
from shared_apps.accounts.services.endings import end_all_sessions
from shared_apps.accounts.services.locks import locked_user, require_person
from shared_apps.audit.history import record_bulk_created
from shared_apps.audit.services import record, record_all
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from tenant_apps.usage import services as usage
from tenants.context import on_platform

PROFILE_FIELDS = ("full_name", "phone", "language", "time_zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A person to be made. Without a password or its hash, only a reset link lets them in.

    A hash is for whoever took the password earlier and kept only that (sign-up).
    """

    email: str
    full_name: str
    password: str | None = None
    password_hash: str | None = None
    phone: str = ""
    language: str = "en"
    time_zone: str = ""


@step
def create_user(
    *,
    actor: Actor,
    email: str,
    full_name: str,
    password: str | None = None,
    password_hash: str | None = None,
    phone: str = "",
    language: str = "en",
    time_zone: str = "",
) -> User:
    """Make one person who may come in at once.

    :raises EmailTaken: somebody has the address.
    :raises PasswordTooWeak: a validator refuses the password.
    :raises QuotaExceeded: the plan does not allow one more.
    """
    person = NewUser(
        email=email,
        full_name=full_name,
        password=password,
        password_hash=password_hash,
        phone=phone,
        language=language,
        time_zone=time_zone,
    )
    return create_users(people=[person], actor=actor)[0]


@transaction.atomic
def create_users(
    *, people: Sequence[NewUser], actor: Actor, quota_bypass_reason: str = ""
) -> list[User]:
    """Make people who may come in at once, in the order given.

    :raises QuotaExceeded: the plan does not allow so many, and no reason to pass it was given.
    :raises EmailMalformed: one of the addresses is none.
    :raises EmailTaken: somebody has one of the addresses, or two of them are the same.
    :raises PasswordTooWeak: a validator refuses one of the passwords.
    """
    actor.require("accounts.add_user")
    now = clock.now()
    users = [
        User(
            email=normalise_email(person.email),
            full_name=person.full_name,
            phone=person.phone,
            language=person.language,
            time_zone=person.time_zone,
            activated_at=now,
            created_by_id=actor.user_id,
            updated_by_id=actor.user_id,
        )
        for person in people
    ]
    require_free_addresses(addresses=[user.email for user in users])
    take_places(count=len(users), actor=actor, bypass_reason=quota_bypass_reason)
    for person, user in zip(people, users, strict=True):
        user.password = _password_of(person, user)
    insert(users=users)
    record_bulk_created(users, actor=actor)
    record_all([UserCreated(subject_id=user.id) for user in users], actor=actor)
    return users


def _password_of(person: NewUser, user: User) -> str:
    if person.password_hash is not None:
        return person.password_hash
    if person.password is not None:
        passwords.require_strong(password=person.password, user=user, field="password")
    return make_password(person.password)


@step
def require_free_addresses(*, addresses: Sequence[str]) -> None:
    """The addresses are addresses, different ones, and nobody's.

    :raises EmailMalformed: one of them is no address.
    :raises EmailTaken: they are not.
    """
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise EmailMalformed(f"{address[:100]!r} is no e-mail address.") from None
        if len(address) > MAX_LENGTH:
            raise EmailMalformed("The e-mail address is too long.")
    if len(set(addresses)) != len(addresses):
        raise EmailTaken("Two of the addresses are the same.")
    if User.objects.filter(email__in=addresses).exists():
        raise EmailTaken


@step
def take_places(*, count: int, actor: Actor, bypass_reason: str = "") -> None:
    """Count people against the plan: whoever is active or invited has a place.

    :raises QuotaExceeded: the plan does not allow so many, and no reason to pass it was given.
    """
    # The platform has no plan.
    if count and not on_platform():
        usage.consume(name="users", amount=count, actor=actor, bypass_reason=bypass_reason)


@step
def give_place_back() -> None:
    """Let somebody else have the place of a person who was deactivated."""
    if not on_platform():
        usage.release(name="users")


@step
def insert(*, users: Sequence[User]) -> None:
    """Write new people.

    :raises EmailTaken: somebody else took an address at the same moment.
    """
    try:
        with transaction.atomic():
            User.objects.bulk_create(users)
    except IntegrityError:
        raise EmailTaken from None


@transaction.atomic
def deactivate_user(*, user_id: UUID, actor: Actor) -> User:
    """Close the door on a person at once: sessions, keys, links and invitations end.

    :raises UserUnknown: there is no such person.
    :raises CannotDeactivateSelf: it is the actor.
    :raises AlreadyDeactivated: it was done before.
    """
    actor.require("accounts.deactivate_user")
    user = locked_user(user_id=user_id)
    if user.id == actor.user_id:
        raise CannotDeactivateSelf
    if user.deactivated_at is not None:
        raise AlreadyDeactivated
    user.is_active, user.deactivated_at = False, clock.now()
    _save(user, "is_active", "deactivated_at", actor=actor)
    one_time_secrets.withdraw(user_id=user.id)
    give_place_back()
    revoke_all_keys(user_id=user.id, actor=actor)
    ended = end_all_sessions(user_id=user.id, reason=Session.EndReason.DEACTIVATED, actor=actor)
    record(UserDeactivated(subject_id=user.id, sessions_ended=ended), actor=actor)
    return user


@transaction.atomic
def reactivate_user(*, user_id: UUID, actor: Actor) -> User:
    """Let a deactivated person in again; with the old password, in new sessions.

    :raises UserUnknown: there is no such person.
    :raises NotDeactivated: the door is not closed.
    :raises QuotaExceeded: the plan does not allow one more.
    """
    actor.require("accounts.deactivate_user")
    user = locked_user(user_id=user_id)
    if user.deactivated_at is None:
        raise NotDeactivated
    take_places(count=1, actor=actor)
    # Somebody who never came in is invited anew instead: there is no password yet.
    user.is_active, user.deactivated_at = user.activated_at is not None, None
    _save(user, "is_active", "deactivated_at", actor=actor)
    record(UserReactivated(subject_id=user.id), actor=actor)
    return user


@transaction.atomic
def update_profile(*, changes: dict[str, str], actor: Actor) -> User:
    """Change what people may say about themselves: `PROFILE_FIELDS`, validated by the caller.

    :raises NotAuthenticated: the actor is nobody, or was deactivated a moment ago.
    """
    user = require_person(actor=actor)
    changed = [
        name for name in PROFILE_FIELDS if name in changes and getattr(user, name) != changes[name]
    ]
    if not changed:
        return user
    for name in changed:
        setattr(user, name, changes[name])
    _save(user, *changed, actor=actor)
    record(ProfileChanged(subject_id=user.id, fields=tuple(changed)), actor=actor)
    return user


def _save(user: User, *fields: str, actor: Actor) -> None:
    user.updated_by_id = actor.user_id
    user.save(update_fields=[*fields, "updated_at", "updated_by_id"])
