"""The persons at a client, and who of them gets its invoices."""

from typing import Any

import pytest
from auditlog.models import LogEntry

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, NotFound, PreconditionFailed
from tenant_apps.parties.models import Contact, Party
from tenant_apps.parties.selectors import invoice_recipient
from tenant_apps.parties.services import add_contact, change_contact, remove_contact
from tests.cast import Cast
from tests.parties.test_clients import a_client


def a_contact(cast: Cast, client: Party, **values: Any) -> Contact:
    return add_contact(
        actor=cast.system,
        party_id=client.pk,
        values={"full_name": "Jane Wanjiku", "email": "jane@mto.test", **values},
    )


def test_a_new_primary_contact_takes_the_place_of_the_former(cast: Cast) -> None:
    client = a_client(cast)
    former = a_contact(cast, client, is_primary=True)

    present = a_contact(cast, client, full_name="John Otieno", is_primary=True)

    former.refresh_from_db()
    assert (former.is_primary, former.version) == (False, 2)
    assert present.is_primary


def test_a_contact_made_primary_later_takes_the_place_too(cast: Cast) -> None:
    client = a_client(cast)
    former = a_contact(cast, client, is_primary=True)
    other = a_contact(cast, client, full_name="John Otieno")

    change_contact(
        actor=cast.system,
        party_id=client.pk,
        contact_id=other.pk,
        changes={"is_primary": True},
    )

    former.refresh_from_db()
    assert not former.is_primary
    assert Contact.objects.get(is_primary=True).pk == other.pk


@pytest.mark.parametrize(
    ("party_email", "contacts", "address"),
    [
        ("", [], None),
        ("office@mto.test", [], "office@mto.test"),
        ("office@mto.test", [("a@mto.test", False, False)], "office@mto.test"),
        ("office@mto.test", [("a@mto.test", False, True)], "a@mto.test"),
        ("", [("a@mto.test", False, True), ("b@mto.test", True, True)], "b@mto.test"),
        ("", [("a@mto.test", False, True), ("b@mto.test", True, False)], "a@mto.test"),
        ("", [("", True, True), ("c@mto.test", False, True)], "c@mto.test"),
    ],
)
def test_invoices_go_to_the_first_who_receives_them(
    cast: Cast, party_email: str, contacts: list[tuple[str, bool, bool]], address: str | None
) -> None:
    client = a_client(cast, email=party_email)
    for email, primary, receives in contacts:
        a_contact(cast, client, email=email, is_primary=primary, receives_invoices=receives)

    found = invoice_recipient(party_id=client.pk)

    assert (found.email if found else None) == address


def test_who_may_not_change_the_client_changes_no_contact(cast: Cast) -> None:
    client = a_client(cast)
    contact = a_contact(cast, client)
    stranger = cast.actor("oscar")

    with pytest.raises(Forbidden):
        add_contact(actor=stranger, party_id=client.pk, values={"full_name": "X"})
    with pytest.raises(Forbidden):
        change_contact(
            actor=stranger, party_id=client.pk, contact_id=contact.pk, changes={"phone": "1"}
        )
    with pytest.raises(Forbidden):
        remove_contact(actor=stranger, party_id=client.pk, contact_id=contact.pk)

    contact.refresh_from_db()
    assert (contact.phone, contact.version) == ("", 1)
    assert Contact.objects.count() == 1


def test_a_contact_is_found_at_its_own_client_only(cast: Cast) -> None:
    contact = a_contact(cast, a_client(cast))
    other = a_client(cast, name="Ziwa Stores")

    with pytest.raises(NotFound):
        remove_contact(actor=cast.system, party_id=other.pk, contact_id=contact.pk)

    assert Contact.objects.filter(pk=contact.pk).exists()


def test_a_stale_version_changes_nothing(cast: Cast) -> None:
    client = a_client(cast)
    contact = a_contact(cast, client)

    with pytest.raises(PreconditionFailed):
        change_contact(
            actor=cast.system,
            party_id=client.pk,
            contact_id=contact.pk,
            changes={"phone": "1"},
            expected_version=7,
        )

    contact.refresh_from_db()
    assert contact.phone == ""


def test_a_removed_contact_is_gone_and_leaves_no_name_behind(cast: Cast) -> None:
    client = a_client(cast)
    contact = a_contact(cast, client)

    remove_contact(actor=cast.system, party_id=client.pk, contact_id=contact.pk)

    assert not Contact.objects.exists()
    entry = AuditEntry.objects.get(event_name="parties.contact_removed")
    assert "Jane" not in str(entry.payload)
    kept = LogEntry.objects.filter(object_pk=str(contact.pk))
    assert kept.count() == 2
    for personal in ("Jane", "jane@mto.test"):
        assert not any(personal in f"{row.changes} {row.object_repr}" for row in kept)
