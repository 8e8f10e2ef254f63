"""The only writer of parties, their roles and their contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from tenant_apps.parties import errors, events
from tenant_apps.parties.models import Contact, Party, PartyKind, PartyRole, Role
from tenant_apps.parties.selectors import clients_visible_to

CHANGEABLE = frozenset(
    {
        "kind",
        "name",
        "legal_name",
        "tax_number",
        "email",
        "phone",
        "address_line_1",
        "address_line_2",
        "city",
        "postal_code",
        "country",
        "sector",
        "parent_id",
        "payment_terms_days",
    }
)
CONTACT_CHANGEABLE = frozenset(
    {"full_name", "email", "phone", "job_title", "is_primary", "receives_invoices"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """What is known of a client when it is recorded.

    `payment_terms_days` is how many days its invoices have; None leaves it to the invoice series.
    """

    name: str
    owner_id: UUID
    unit_id: UUID
    kind: str = PartyKind.COMPANY
    legal_name: str = ""
    tax_number: str = ""
    email: str = ""
    phone: str = ""
    address_line_1: str = ""
    address_line_2: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    sector: str = ""
    parent_id: UUID | None = None
    payment_terms_days: int | None = None
    external_source: str = ""
    external_reference: str = ""

    def values(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@transaction.atomic
def record_clients(*, actor: Actor, clients: Sequence[NewClient]) -> list[Party]:
    """Record parties that are clients, in the given order.

    :raises Forbidden: the actor may not add clients for one of the owners.
    :raises UnknownParent: a parent is not a client that the actor sees.
    :raises ClientAlreadyRecorded: a row of the same source has this reference.
    """
    parties = [
        Party(**client.values(), created_by_id=actor.user_id, updated_by_id=actor.user_id)
        for client in clients
    ]
    # One check for each place, not for each row: the rule reads nothing else of a new row.
    for party in {(party.owner_id, party.unit_id): party for party in parties}.values():
        actor.require("parties.add_party", party)
    _check_parents(actor, {party.parent_id for party in parties if party.parent_id})
    _check_references(parties)
    Party.objects.bulk_create(parties)
    history.record_bulk_created(parties, actor=actor)
    roles = [
        PartyRole(
            party=party,
            role=Role.CLIENT,
            created_by_id=actor.user_id,
            updated_by_id=actor.user_id,
        )
        for party in parties
    ]
    PartyRole.objects.bulk_create(roles)
    history.record_bulk_created(roles, actor=actor)
    audit.record_all(
        [
            events.ClientRecorded(
                subject_id=party.id, owner_id=party.owner_id, unit_id=party.unit_id
            )
            for party in parties
        ],
        actor=actor,
    )
    return parties


@step
def record_party(*, values: Mapping[str, Any], role: str, actor: Actor) -> Party:
    """Record a party that is something else than a client. Whoever needs it has required it.

    `values` are fields of the party by their names.
    """
    party = Party(**values, created_by_id=actor.user_id, updated_by_id=actor.user_id)
    party.save(force_insert=True)
    give_role(party_id=party.pk, role=role, actor=actor)
    return party


@step
def give_role(*, party_id: UUID, role: str, actor: Actor) -> None:
    """Let a party be one thing more to the organization; nothing happens where it is that."""
    _, given = PartyRole.objects.get_or_create(
        party_id=party_id,
        role=role,
        defaults={"created_by_id": actor.user_id, "updated_by_id": actor.user_id},
    )
    if given:
        audit.record(events.RoleGiven(subject_id=party_id, role=role), actor=actor)


@step
def lock_parties(*, party_ids: Iterable[UUID]) -> None:
    """Lock parties in the order of their ids (a step of what posts to their accounts many times).

    One transaction that posts an invoice, then what is allocated to it, takes balances in no order
    of its own: two of them for one client would deadlock, if they did not queue here first.

    :raises NotFound: there is no such party.
    """
    Party.objects.all().locked_all(party_ids)


@transaction.atomic
def change_client(
    *,
    actor: Actor,
    party_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Party:
    """Change fields of a client (`CHANGEABLE`); values that are the same already stay unrecorded.

    :raises NotFound: no such client that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises PreconditionFailed: it is at another version.
    :raises UnknownParent: the parent is not a client that the actor sees.
    :raises PartyIsItsOwnParent: the parent stands below the client.
    """
    party = clients_visible_to(actor).locked(party_id)
    actor.require("parties.change_party", party)
    party.check_version(expected_version)
    changed = _changed_fields(party, changes, CHANGEABLE)
    if not changed:
        return party
    if "parent_id" in changed and changes["parent_id"] is not None:
        _check_parents(actor, {changes["parent_id"]})
        _check_no_cycle(party, parent_id=changes["parent_id"])
    _apply(party, changes, changed, actor)
    audit.record(events.ClientChanged(subject_id=party.id, fields=changed), actor=actor)
    return party


@transaction.atomic
def add_contact(*, actor: Actor, party_id: UUID, values: Mapping[str, Any]) -> Contact:
    """Add a person to a client. A new primary contact takes the place of the former one.

    :raises NotFound: no such client that the actor sees.
    :raises Forbidden: the actor may not change the client.
    :raises PrimaryContactTaken: two requests made a primary contact at once.
    """
    party = clients_visible_to(actor).locked(party_id)
    actor.require("parties.change_party", party)
    if values.get("is_primary"):
        _step_down(party, actor=actor)
    contact = Contact(
        party=party, created_by_id=actor.user_id, updated_by_id=actor.user_id, **values
    )
    _save_contact(contact)
    audit.record(events.ContactAdded(subject_id=contact.id, party_id=party.id), actor=actor)
    return contact


@transaction.atomic
def change_contact(
    *,
    actor: Actor,
    party_id: UUID,
    contact_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Contact:
    """Change fields of a contact (`CONTACT_CHANGEABLE`).

    :raises NotFound: no such client that the actor sees, or no such contact of it.
    :raises Forbidden: the actor may not change the client.
    :raises PreconditionFailed: the contact is at another version.
    :raises PrimaryContactTaken: two requests made a primary contact at once.
    """
    party = clients_visible_to(actor).locked(party_id)
    actor.require("parties.change_party", party)
    contact: Contact = Contact.objects.filter(party=party).locked(contact_id)
    contact.check_version(expected_version)
    changed = _changed_fields(contact, changes, CONTACT_CHANGEABLE)
    if not changed:
        return contact
    if "is_primary" in changed and changes["is_primary"]:
        _step_down(party, actor=actor)
    for name in changed:
        setattr(contact, name, changes[name])
    contact.raise_version()
    contact.updated_by_id = actor.user_id
    _save_contact(contact)
    audit.record(
        events.ContactChanged(subject_id=contact.id, party_id=party.id, fields=changed),
        actor=actor,
    )
    return contact


@transaction.atomic
def remove_contact(*, actor: Actor, party_id: UUID, contact_id: UUID) -> None:
    """Take a person off a client. Nothing else points to a contact, so the row goes.

    :raises NotFound: no such client that the actor sees, or no such contact of it.
    :raises Forbidden: the actor may not change the client.
    """
    party = clients_visible_to(actor).locked(party_id)
    actor.require("parties.change_party", party)
    contact: Contact = Contact.objects.filter(party=party).locked(contact_id)
    event = events.ContactRemoved(subject_id=contact.id, party_id=party.id)
    contact.delete()
    audit.record(event, actor=actor)


@transaction.atomic
def record_own_party(
    *, actor: Actor, name: str, legal_name: str, tax_number: str, country: str
) -> Party:
    """The organization's own party, made once when the organization is founded (a step).

    Calling it again gives the one that stands.
    """
    actor.require("parties.add_party")
    standing = Party.objects.filter(is_own=True).first()
    if standing is not None:
        return standing
    party = Party(
        kind=PartyKind.COMPANY,
        name=name,
        legal_name=legal_name,
        tax_number=tax_number,
        country=country,
        is_own=True,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    party.save(force_insert=True)
    audit.record(events.OwnPartyRecorded(subject_id=party.id), actor=actor)
    return party


def _check_parents(actor: Actor, parent_ids: set[UUID]) -> None:
    if not parent_ids:
        return
    seen = clients_visible_to(actor).filter(pk__in=parent_ids).count()
    if seen != len(parent_ids):
        raise errors.UnknownParent.field("parent_company", detail="There is no such client.")


def _check_no_cycle(party: Party, *, parent_id: UUID) -> None:
    """Walk upwards; companies stand a few levels deep, and a longer chain is a circle."""
    above: UUID | None = parent_id
    for _ in range(errors.MAXIMUM_PARENTS):
        if above is None:
            return
        if above == party.id:
            break
        above = Party.objects.values_list("parent_id", flat=True).get(pk=above)
    raise errors.PartyIsItsOwnParent


def _check_references(parties: Sequence[Party]) -> None:
    given = [
        (party.external_source, party.external_reference)
        for party in parties
        if party.external_reference
    ]
    taken = (
        set(
            Party.objects.filter(
                external_source__in={source for source, _ in given},
                external_reference__in={reference for _, reference in given},
            ).values_list("external_source", "external_reference")
        )
        if given
        else set()
    )
    clash = taken.intersection(given)
    if clash or len(set(given)) != len(given):
        named = ", ".join(sorted(reference for _, reference in clash)[:5])
        raise errors.ClientAlreadyRecorded(f"Recorded already: {named or 'twice in one batch'}.")


def _changed_fields(
    row: Party | Contact, changes: Mapping[str, Any], changeable: frozenset[str]
) -> tuple[str, ...]:
    unknown = set(changes) - changeable
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    return tuple(sorted(name for name in changes if getattr(row, name) != changes[name]))


def _apply(
    party: Party, changes: Mapping[str, Any], changed: tuple[str, ...], actor: Actor
) -> None:
    for name in changed:
        setattr(party, name, changes[name])
    party.raise_version()
    party.updated_by_id = actor.user_id
    party.save(
        update_fields=[name.removesuffix("_id") for name in changed]
        + ["version", "updated_by_id", "updated_at"]
    )


def _step_down(party: Party, *, actor: Actor) -> None:
    for former in Contact.objects.filter(party=party, is_primary=True):
        former.is_primary = False
        former.raise_version()
        former.updated_by_id = actor.user_id
        former.save(update_fields=["is_primary", "version", "updated_by_id", "updated_at"])


def _save_contact(contact: Contact) -> None:
    try:
        with transaction.atomic():
            contact.save()
    except IntegrityError as refused:
        raise errors.PrimaryContactTaken from refused
