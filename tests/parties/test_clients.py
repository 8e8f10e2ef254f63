"""Clients: recorded, changed, and seen."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from auditlog.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, NotFound, PreconditionFailed
from tenant_apps.parties import errors
from tenant_apps.parties.models import Party, PartyRole, Role
from tenant_apps.parties.selectors import clients_visible_to, own_party, recorded_references
from tenant_apps.parties.services import NewClient, change_client, record_clients
from tests.cast import Cast


def new_client(cast: Cast, *, owner: str = "olga", **values: Any) -> NewClient:
    return NewClient(
        **{
            "name": "Mto Traders",
            "owner_id": cast.user(owner).pk,
            "unit_id": cast.unit_of(owner).pk,
            **values,
        }
    )


def a_client(cast: Cast, **values: Any) -> Party:
    return record_clients(actor=cast.system, clients=[new_client(cast, **values)])[0]


def test_the_organization_has_a_party_of_its_own_that_is_no_client(cast: Cast) -> None:
    own = own_party()

    assert own.legal_name == "Acme Trading Limited"
    assert not clients_visible_to(cast.system).filter(pk=own.pk).exists()


def test_there_is_one_own_party_only(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Party.objects.create(name="Another", is_own=True)


def test_a_client_is_a_party_with_that_role(cast: Cast) -> None:
    client = a_client(cast)

    assert PartyRole.objects.get(party=client).role == Role.CLIENT
    assert AuditEntry.objects.get(event_name="parties.client_recorded").subject_id == client.pk


def test_events_and_history_hold_no_personal_data(cast: Cast) -> None:
    client = a_client(cast, email="jane@mto.test", phone="+254700000001")
    change_client(actor=cast.system, party_id=client.pk, changes={"name": "Mto Limited"})

    kept = [str(entry.payload) for entry in AuditEntry.objects.filter(subject_id=client.pk)]
    kept += [str(entry.changes) for entry in LogEntry.objects.filter(object_pk=str(client.pk))]
    for personal in ("Mto", "jane@mto.test", "+254700000001"):
        assert not any(personal in text for text in kept), personal


def test_recording_costs_the_same_statements_for_one_and_for_forty(cast: Cast) -> None:
    counts = []
    for size in (1, 40):
        clients = [
            new_client(cast, external_source="crm", external_reference=f"{size}:{n}")
            for n in range(size)
        ]
        with CaptureQueriesContext(connection) as captured:
            record_clients(actor=cast.system, clients=clients)
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_the_same_external_reference_is_recorded_once(cast: Cast) -> None:
    client = a_client(cast, external_source="crm", external_reference="Cancity")

    with pytest.raises(errors.ClientAlreadyRecorded):
        a_client(cast, external_source="crm", external_reference="Cancity")

    assert recorded_references(source="crm", references=["Cancity", "Isdom"]) == {
        "Cancity": client.pk
    }
    assert Party.objects.clients().count() == 1


@pytest.mark.parametrize("parent", ["own", "unknown"])
def test_a_parent_is_a_client(cast: Cast, parent: str) -> None:
    parent_id = own_party().pk if parent == "own" else uuid4()

    with pytest.raises(errors.UnknownParent):
        a_client(cast, parent_id=parent_id)

    assert not Party.objects.clients().exists()


@pytest.mark.parametrize(
    ("name", "owner", "allowed"),
    [
        ("olga", "olga", True),
        ("olga", "paul", False),
        ("lea", "paul", True),
        ("lea", "oscar", False),
        ("sam", "oscar", True),
        ("vera", "vera", False),
        ("ada", "ada", False),
    ],
)
def test_who_may_record_and_change(cast: Cast, name: str, owner: str, allowed: bool) -> None:
    client = a_client(cast, owner=owner)
    new = new_client(cast, owner=owner, name="Second")

    if allowed:
        record_clients(actor=cast.actor(name), clients=[new])
        changed = change_client(
            actor=cast.actor(name), party_id=client.pk, changes={"sector": "retail"}
        )
        assert (changed.sector, changed.version) == ("retail", 2)
        return
    with pytest.raises(Forbidden):
        record_clients(actor=cast.actor(name), clients=[new])
    with pytest.raises(Forbidden):
        change_client(actor=cast.actor(name), party_id=client.pk, changes={"sector": "retail"})
    client.refresh_from_db()
    assert (client.sector, client.version) == ("", 1)
    assert Party.objects.clients().count() == 1


def test_everybody_sees_all_clients(cast: Cast) -> None:
    a_client(cast)

    for name in ("olga", "oscar", "lea", "vera", "sam", "ada"):
        assert clients_visible_to(cast.actor(name)).count() == 1


def test_the_own_party_is_not_changed_as_a_client(cast: Cast) -> None:
    with pytest.raises(NotFound):
        change_client(actor=cast.system, party_id=own_party().pk, changes={"name": "Hijacked"})

    assert own_party().name == "Acme Trading"


def test_a_stale_version_changes_nothing(cast: Cast) -> None:
    client = a_client(cast)
    change_client(actor=cast.system, party_id=client.pk, changes={"city": "Nairobi"})

    with pytest.raises(PreconditionFailed):
        change_client(
            actor=cast.system, party_id=client.pk, changes={"city": "Kisumu"}, expected_version=1
        )

    client.refresh_from_db()
    assert (client.city, client.version) == ("Nairobi", 2)


def test_a_change_that_changes_nothing_is_not_recorded(cast: Cast) -> None:
    client = a_client(cast)

    same = change_client(actor=cast.system, party_id=client.pk, changes={"name": client.name})

    assert same.version == 1
    assert not AuditEntry.objects.filter(event_name="parties.client_changed").exists()


def test_companies_do_not_stand_above_one_another_in_a_ring(cast: Cast) -> None:
    top = a_client(cast)
    middle = a_client(cast, parent_id=top.pk)
    low = a_client(cast, parent_id=middle.pk)

    for parent in (low, middle, top):
        with pytest.raises(errors.PartyIsItsOwnParent):
            change_client(actor=cast.system, party_id=top.pk, changes={"parent_id": parent.pk})

    top.refresh_from_db()
    assert top.parent_id is None


def test_a_batch_is_recorded_wholly_or_not_at_all(cast: Cast) -> None:
    good = new_client(cast)

    with pytest.raises(Forbidden):
        record_clients(
            actor=cast.actor("olga"), clients=[good, replace(good, owner_id=cast.user("paul").pk)]
        )

    assert not Party.objects.clients().exists()
