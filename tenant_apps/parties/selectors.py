"""The only reader of parties that other apps call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from shared_apps.access.selectors import home_unit_of
from shared_apps.kernel.actor import Actor
from tenant_apps.parties import errors
from tenant_apps.parties.models import Contact, ContactQuerySet, Party, PartyQuerySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a mail about a party's invoice goes to. Personal: never put it into an event."""

    name: str
    email: str


def clients_visible_to(actor: Actor) -> PartyQuerySet:
    """The clients that the actor may see.

    They are the organization's address book: whoever may see clients anywhere sees all of them,
    for two teams may sell to one company. Who may change one follows its owner and unit.
    """
    clients = Party.objects.clients()
    return clients if actor.allows("parties.view_party") else clients.none()


def contacts_visible_to(actor: Actor, *, party_id: UUID) -> ContactQuerySet:
    """The contacts of a client; they are seen with the client.

    :raises NotFound: no such client that the actor sees.
    """
    party = clients_visible_to(actor).obtain(party_id)
    return Contact.objects.filter(party=party)


def home_of(actor: Actor) -> tuple[UUID, UUID]:
    """Whose and where a client is that the actor records: the actor's own, in the own unit.

    :raises NoHome: the actor is not a person with a place in the organization.
    """
    unit = home_unit_of(user_id=actor.user_id) if actor.user_id else None
    if actor.user_id is None or unit is None:
        raise errors.NoHome
    return actor.user_id, unit.id


def own_party() -> Party:
    """The organization's own party, which issues its invoices.

    :raises Party.DoesNotExist: the organization was never seeded.
    """
    return Party.objects.get(is_own=True)


def parties_by_id(*, party_ids: Iterable[UUID]) -> dict[UUID, Party]:
    """These parties, in one query, whoever asks."""
    return Party.objects.in_bulk(set(party_ids))


def recorded_references(*, source: str, references: Iterable[str]) -> dict[str, UUID]:
    """Which of the references of an external source are recorded, with the party's id."""
    return dict(
        Party.objects.filter(
            external_source=source, external_reference__in=set(references)
        ).values_list("external_reference", "id")
    )


def invoice_recipient(*, party_id: UUID) -> Recipient | None:
    """Where the party's invoices are mailed to, or None when no address is known.

    The primary contact that receives invoices, else any other contact that does, else the
    party's own address.
    """
    contact = (
        Contact.objects.filter(party_id=party_id)
        .receiving_invoices()
        .order_by("-is_primary", "created_at", "id")
        .first()
    )
    if contact is not None:
        return Recipient(name=contact.full_name, email=contact.email)
    party = Party.objects.filter(pk=party_id).exclude(email="").first()
    return None if party is None else Recipient(name=party.name, email=party.email)
