"""API keys: issued and rotated by the person whose rights they lend, revoked also by others.

A key holds names of permissions. What it may do is asked anew with each request: its permissions,
as far as its owner holds them at that moment.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from shared_apps.accounts import api_keys
from shared_apps.accounts.errors import (
    ApiKeyAddressRefused,
    ApiKeyEnded,
    ApiKeyNotOwn,
    ApiKeyPermissionRefused,
    ApiKeyTermRefused,
    ApiKeyUnknown,
    TooManyApiKeys,
)
from shared_apps.accounts.events import (
    ApiKeyAddressDenied,
    ApiKeyIssued,
    ApiKeyRevoked,
    ApiKeyRotated,
)
from shared_apps.accounts.models import ApiKey, User
from shared_apps.accounts.services import attempts
from shared_apps.accounts.services.locks import require_person
from shared_apps.audit.services import record, record_all
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput, FieldError, NotFound
from shared_apps.kernel.operations import step

LONGEST_LIFE = timedelta(days=366)
USUAL_LIFE = timedelta(days=90)
# As long as it takes to carry a new key to all machines; a leaked one should not live longer.
LONGEST_OVERLAP = timedelta(days=30)
MOST_KEYS = 50

# The last use is a hint for people: once a minute is exact enough, and spares a write per request.
_NOTED_EVERY = timedelta(minutes=1)
_DENIED_ELSEWHERE = attempts.Limit(name="api_key_elsewhere", attempts=0, window=timedelta(hours=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """A key and its text, which is shown this once."""

    key: ApiKey
    text: str


@transaction.atomic
def issue_api_key(
    *,
    actor: Actor,
    name: str,
    permissions: Sequence[str],
    networks: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> ShownKey:
    """Make a key that lends some of the actor's rights to a machine.

    It lives `USUAL_LIFE` unless told otherwise, and `LONGEST_LIFE` at most.

    :raises ApiKeyPermissionRefused: the actor does not hold one of the permissions, or it is one
        that no key can carry.
    :raises BadInput: one of the networks is no CIDR range.
    :raises ApiKeyTermRefused: it would end in the past, or too far away.
    :raises TooManyApiKeys: the actor has as many live keys as one person may have.
    """
    user = require_person(actor=actor)
    actor.require("accounts.add_apikey", ApiKey(user=user))
    now = clock.now()
    ends_at = expires_at or now + USUAL_LIFE
    if not now < ends_at <= now + LONGEST_LIFE:
        raise _term_refused("expires_at", f"Between now and {LONGEST_LIFE.days} days from now.")
    _require_few(user, at=now)
    key, text = _insert(
        user=user,
        name=name,
        permissions=_lendable(permissions, actor=actor),
        networks=_ranges(networks),
        expires_at=ends_at,
    )
    record(
        ApiKeyIssued(
            subject_id=key.id,
            user_id=user.id,
            permissions=tuple(key.permissions),
            networks=tuple(key.networks),
            expires_at=key.expires_at,
        ),
        actor=actor,
    )
    return ShownKey(key=key, text=text)


@transaction.atomic
def rotate_api_key(*, actor: Actor, key_id: UUID, former_ends_at: datetime) -> ShownKey:
    """Let a new key take over from one of the actor's own, which lives on until the instant.

    The successor has the same name, permissions and networks, and lives as long as the former was
    meant to. An instant that is over ends the former at once.

    :raises ApiKeyUnknown: the actor cannot see such a key.
    :raises ApiKeyNotOwn: it is somebody else's.
    :raises ApiKeyEnded: it was revoked, or its time is over.
    :raises ApiKeyPermissionRefused: the actor no longer holds one of its permissions.
    :raises ApiKeyTermRefused: the overlap is too long.
    """
    user = require_person(actor=actor)
    actor.require("accounts.add_apikey", ApiKey(user=user))
    former = _locked_key(key_id, actor=actor)
    if former.user_id != user.id:
        raise ApiKeyNotOwn
    now = clock.now()
    _require_live(former, at=now)
    if former_ends_at > now + LONGEST_OVERLAP:
        raise _term_refused("former_ends_at", f"{LONGEST_OVERLAP.days} days from now at most.")
    _require_few(user, at=now)
    life = min(former.expires_at - former.created_at, LONGEST_LIFE)
    key, text = _insert(
        user=user,
        name=former.name,
        permissions=_lendable(former.permissions, actor=actor),
        networks=former.networks,
        expires_at=now + life,
        replaces=former,
    )
    # Never later than it would have ended anyway.
    former.expires_at = min(former.expires_at, max(former_ends_at, now))
    _save(former, "expires_at", actor=actor)
    record(
        ApiKeyRotated(
            subject_id=former.id,
            user_id=user.id,
            successor_id=key.id,
            former_ends_at=former.expires_at,
        ),
        actor=actor,
    )
    return ShownKey(key=key, text=text)


@transaction.atomic
def revoke_api_key(*, actor: Actor, key_id: UUID) -> ApiKey:
    """End a key at once: one's own, or anybody's for whoever holds the permission.

    :raises ApiKeyUnknown: the actor cannot see such a key.
    :raises ApiKeyEnded: it was revoked before, or its time is over.
    """
    key = _locked_key(key_id, actor=actor)
    if key.user_id != actor.user_id:
        actor.require("accounts.delete_apikey", key)
    now = clock.now()
    _require_live(key, at=now)
    key.revoked_at = now
    _save(key, "revoked_at", actor=actor)
    record(ApiKeyRevoked(subject_id=key.id, user_id=key.user_id), actor=actor)
    return key


@step
def revoke_all_keys(*, user_id: UUID, actor: Actor) -> int:
    """Within the caller's transaction: end all of a person's keys; how many there were."""
    now = clock.now()
    live = ApiKey.objects.filter(user_id=user_id, revoked_at__isnull=True, expires_at__gt=now)
    keys = list(live.order_by("pk").for_change())
    ApiKey.objects.filter(pk__in=[key.pk for key in keys]).update(
        revoked_at=now, updated_at=now, updated_by_id=actor.user_id
    )
    record_all([ApiKeyRevoked(subject_id=key.id, user_id=key.user_id) for key in keys], actor=actor)
    return len(keys)


@step
def require_place(*, key: ApiKey, actor: Actor) -> None:
    """Let a live key be used only from its networks, and note when and from where it was.

    :raises ApiKeyAddressRefused: it is used from elsewhere; the first time is written down.
    """
    address = actor.ip_address
    if not api_keys.includes(key.networks, address):
        place = attempts.place_of(ip_address=address)
        exceeded = attempts.count(_DENIED_ELSEWHERE.counter(str(key.pk), place))
        if any(one.is_first for one in exceeded.values()):
            whose = actor.changed(user_id=key.user_id, session_id=key.pk)
            with transaction.atomic():
                record(ApiKeyAddressDenied(subject_id=key.id, user_id=key.user_id), actor=whose)
        raise ApiKeyAddressRefused
    now = clock.now()
    is_stale = key.last_used_at is None or key.last_used_at <= now - _NOTED_EVERY
    if is_stale or key.last_used_address != address:
        # One of two requests at the same moment is enough.
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - _NOTED_EVERY)
        stale |= ~Q(last_used_address=address)
        ApiKey.objects.filter(stale, pk=key.pk).update(
            last_used_at=now, last_used_address=address[:45]
        )


def _insert(*, user: User, name: str, **values: object) -> tuple[ApiKey, str]:
    drawn = api_keys.drawn()
    key = ApiKey.objects.create(
        user=user,
        name=name,
        prefix=drawn.prefix,
        secret_hash=drawn.secret_hash,
        created_by_id=user.id,
        updated_by_id=user.id,
        **values,
    )
    return key, drawn.text


def _locked_key(key_id: UUID, *, actor: Actor) -> ApiKey:
    keys = ApiKey.objects.all()
    try:
        key: ApiKey = keys.locked(key_id)
    except NotFound:
        raise ApiKeyUnknown from None
    if key.user_id != actor.user_id and not actor.allows("accounts.view_apikey", key):
        raise ApiKeyUnknown
    return key


def _require_live(key: ApiKey, *, at: datetime) -> None:
    if key.revoked_at is not None or key.expires_at <= at:
        raise ApiKeyEnded


def _require_few(user: User, *, at: datetime) -> None:
    # The person is locked, so two requests cannot both take the last place.
    if ApiKey.objects.live(at=at).filter(user=user).count() >= MOST_KEYS:
        raise TooManyApiKeys


def _lendable(permissions: Sequence[str], *, actor: Actor) -> list[str]:
    """The permissions, each once, if the actor may lend all of them."""
    wanted = sorted(set(permissions))
    for permission in wanted:
        if api_keys.is_for_people(permission) or not actor.allows(permission):
            raise ApiKeyPermissionRefused(
                f"The API key cannot have {permission}.", extra={"permission": permission}
            )
    return wanted


def _ranges(networks: Sequence[str]) -> list[str]:
    """The networks in their one spelling."""
    ranges = []
    for number, text in enumerate(networks):
        try:
            ranges.append(str(ipaddress.ip_network(text, strict=False)))
        except ValueError:
            raise BadInput(
                errors=[
                    FieldError.at(
                        "networks",
                        number,
                        detail="A network looks like 203.0.113.0/24 or 2001:db8::/32.",
                    )
                ]
            ) from None
    return ranges


def _term_refused(field: str, detail: str) -> ApiKeyTermRefused:
    return ApiKeyTermRefused(errors=[FieldError.at(field, code="out_of_range", detail=detail)])


def _save(key: ApiKey, *fields: str, actor: Actor) -> None:
    key.updated_by_id = actor.user_id
    key.save(update_fields=[*fields, "updated_at", "updated_by_id"])
