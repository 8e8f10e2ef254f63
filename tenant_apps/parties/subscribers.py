"""What parties do at start-up: keep their history, seed a new organization, name their accounts."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from shared_apps.audit import history
from shared_apps.kernel.actor import Actor
from tenant_apps.ledger import subledgers
from tenant_apps.parties.models import Contact, Party, PartyRole
from tenant_apps.parties.services import record_own_party
from tenants.models import Organization
from tenants.provisioning import register_seed

_PERSONAL = (
    "name",
    "legal_name",
    "tax_number",
    "email",
    "phone",
    "address_line_1",
    "address_line_2",
    "city",
    "postal_code",
)


def seed_own_party(organization: Organization, *, actor: Actor) -> None:
    """The organization issues invoices from its first day, so it is a party from the first."""
    record_own_party(
        actor=actor,
        name=organization.name,
        legal_name=organization.legal_name,
        tax_number=organization.tax_number,
        country=organization.country,
    )


def known_parties(ids: Collection[UUID]) -> set[UUID]:
    """Those of the ids that are parties: an account of the books can be opened for them by hand."""
    return set(Party.objects.filter(id__in=ids).values_list("id", flat=True))


history.track(Party, mask=_PERSONAL)
history.track(PartyRole)
history.track(Contact, mask=("full_name", "email", "phone", "job_title"))
register_seed(order=50, name="parties.own_party", function=seed_own_party)
subledgers.register("party", known_parties)
