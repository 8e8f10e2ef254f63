"""Who sells: added as a role of a party, suspended, reinstated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from shared_apps.access.models import Unit
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from tenant_apps.parties import services as parties
from tenant_apps.parties.models import Role
from tenant_apps.parties.selectors import clients_visible_to
from tenant_apps.wallets import errors, events, references
from tenant_apps.wallets.models import Seller, SellerState
from tenant_apps.wallets.selectors import sellers_visible_to

CHANGEABLE = frozenset({"may_transfer", "user_id", "unit_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSeller:
    """A seller-to-be: a client that is known already, or a new party by its name.

    `user_id` is who sells as this seller; `unit_id` is where it belongs, the organization's own
    unit if nothing is said. `may_transfer` None follows the organization's policy.
    """

    party_id: UUID | None = None
    name: str = ""
    email: str = ""
    phone: str = ""
    user_id: UUID | None = None
    unit_id: UUID | None = None
    may_transfer: bool | None = None


@transaction.atomic
def add_seller(*, actor: Actor, seller: NewSeller) -> Seller:
    """Let a party sell against credit.

    :raises BadInput: neither a party nor a name is given or both are, or one of the ids is none
        that the actor sees.
    :raises Forbidden: the actor may not add sellers in that unit.
    :raises SellerAlreadyAdded: the party or the user is a seller.
    """
    if (seller.party_id is None) == (not seller.name):
        raise BadInput.field("name", detail="Give either a party or a name.")
    unit = _unit(seller.unit_id)
    row = Seller(
        unit=unit,
        user_id=_user_id(seller.user_id),
        may_transfer=seller.may_transfer,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    actor.require("wallets.add_seller", row)
    row.party_id = _party_id(actor, seller, unit)
    row.reference = references.next_reference(references.SELLER)
    _save_new(row)
    audit.record(
        events.SellerAdded(
            subject_id=row.id,
            reference=row.reference,
            party_id=row.party_id,
            user_id=row.user_id,
            unit_id=row.unit_id,
        ),
        actor=actor,
    )
    return row


@transaction.atomic
def change_seller(
    *,
    actor: Actor,
    seller_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Seller:
    """Change who sells, where, and whether it may transfer (`CHANGEABLE`).

    :raises NotFound: no such seller that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises PreconditionFailed: it is at another version.
    :raises BadInput: there is no such user or unit.
    :raises SellerAlreadyAdded: the user is another seller's.
    """
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    row = sellers_visible_to(actor).locked(seller_id)
    actor.require("wallets.change_seller", row)
    row.check_version(expected_version)
    changed = tuple(sorted(name for name in changes if getattr(row, name) != changes[name]))
    if not changed:
        return row
    for name in changed:
        setattr(row, name, changes[name])
    if "user_id" in changed:
        _user_id(row.user_id)
    if "unit_id" in changed:
        row.unit = _unit(row.unit_id)
    row.updated_by_id = actor.user_id
    row.raise_version()
    _save_new(row)
    audit.record(events.SellerChanged(subject_id=row.id, fields=changed), actor=actor)
    return row


@transaction.atomic
def suspend_seller(*, actor: Actor, seller_id: UUID, expected_version: int | None = None) -> Seller:
    """Let a seller neither sell nor transfer nor ask for credit; what is running ends as it will.

    :raises NotFound: no such seller that the actor sees.
    :raises Forbidden: the actor may not suspend it.
    :raises SellerStateUnchanged: it is suspended.
    """
    return _set_state(actor, seller_id, SellerState.SUSPENDED, expected_version)


@transaction.atomic
def reinstate_seller(
    *, actor: Actor, seller_id: UUID, expected_version: int | None = None
) -> Seller:
    """Let a suspended seller sell again.

    :raises NotFound: no such seller that the actor sees.
    :raises Forbidden: the actor may not reinstate it.
    :raises SellerStateUnchanged: it is not suspended.
    """
    return _set_state(actor, seller_id, SellerState.ACTIVE, expected_version)


def _set_state(
    actor: Actor, seller_id: UUID, state: SellerState, expected_version: int | None
) -> Seller:
    row = sellers_visible_to(actor).locked(seller_id)
    actor.require("wallets.suspend_seller", row)
    row.check_version(expected_version)
    if row.state == state:
        raise errors.SellerStateUnchanged(f"{row.reference} is {state}.")
    row.state = state
    row.updated_by_id = actor.user_id
    row.raise_version()
    row.save()
    suspended = state == SellerState.SUSPENDED
    happened = events.SellerSuspended if suspended else events.SellerReinstated
    audit.record(happened(subject_id=row.id, reference=row.reference), actor=actor)
    return row


def _save_new(row: Seller) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as problem:
        raise errors.SellerAlreadyAdded from problem


def _unit(unit_id: UUID | None) -> Unit:
    if unit_id is None:
        return root_unit()
    unit = Unit.objects.filter(pk=unit_id).first()
    if unit is None:
        raise BadInput.field("unit", detail="There is no such unit.", code="not_found")
    return unit


def _user_id(user_id: UUID | None) -> UUID | None:
    if user_id is not None and not User.objects.filter(pk=user_id, is_active=True).exists():
        raise BadInput.field("user", detail="There is no such active user.", code="not_found")
    return user_id


def _party_id(actor: Actor, seller: NewSeller, unit: Unit) -> UUID:
    if seller.party_id is None:
        values = {"name": seller.name, "email": seller.email, "phone": seller.phone}
        party = parties.record_party(
            values={**values, "unit_id": unit.pk}, role=Role.SELLER, actor=actor
        )
        return party.pk
    if not clients_visible_to(actor).filter(pk=seller.party_id).exists():
        raise BadInput.field("party", detail="There is no such party.", code="not_found")
    parties.give_role(party_id=seller.party_id, role=Role.SELLER, actor=actor)
    return seller.party_id
