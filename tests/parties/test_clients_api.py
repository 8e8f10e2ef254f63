"""Clients and contacts through the API ..."""

from typing import Any
from uuid import uuid4

import pytest

from tenant_apps.parties.models import Contact, Party
from tenant_apps.parties.selectors import own_party
from tests.cast import Cast
from tests.parties.test_clients import a_client
from tests.parties.test_contacts import a_contact

ADDRESS = {
    "line_1": "Moi Avenue 12",
    "line_2": "",
    "city": "Nairobi",
    "postal_code": "00100",
    "country": "KE",
}


def test_are_recorded_by_a_salesperson_as_their_own(cast: Cast) -> None:
    answer = cast.api("olga").post(
        "clients/", {"name": "Mto Traders", "kind": "company", "address": ADDRESS}
    )

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["address"], body["owner"]) == (ADDRESS, str(cast.user("olga").pk))
    assert answer["ETag"] == '"1"'


def test_a_part_of_the_address_can_be_changed(cast: Cast) -> None:
    client = a_client(cast, city="Nakuru", country="KE")

    answer = cast.api("olga").patch(f"clients/{client.pk}/", {"address": {"city": "Kisumu"}})

    assert answer.status_code == 200, answer.json()
    assert answer.json()["address"]["city"] == "Kisumu"
    assert answer.json()["address"]["country"] == "KE"
    assert answer["ETag"] == '"2"'


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "   "}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "x", "kind": "ghost"}, "/kind"),
        ({"name": "x", "email": "nobody"}, "/email"),
        ({"name": "x", "is_own": True}, "/is_own"),
        ({"name": "x", "owner": str(uuid4())}, "/owner"),
        ({"name": "x", "parent_company": str(uuid4())}, "/parent_company"),
        ({"name": "x", "payment_terms_days": -1}, "/payment_terms_days"),
        ({"name": "x", "payment_terms_days": 366}, "/payment_terms_days"),
        ({"name": "x", "address": {"country": "Kenya"}}, "/address/country"),
        ({"name": "x", "address": {"planet": "Earth"}}, "/address/planet"),
        ({"name": "x", "address": "Nairobi"}, "/address"),
    ],
)
def test_are_refused_with_the_place_of_the_mistake(
    cast: Cast, body: dict[str, Any], pointer: str
) -> None:
    answer = cast.api("olga").post("clients/", body)

    assert answer.status_code == 400, answer.json()
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert any(found.startswith(pointer) for found in pointers), pointers
    assert not Party.objects.clients().exists()


def test_the_own_party_is_no_client(cast: Cast) -> None:
    sam = cast.api("sam")

    assert sam.get(f"clients/{own_party().pk}/").status_code == 404
    assert sam.patch(f"clients/{own_party().pk}/", {"name": "x"}).status_code == 404
    assert sam.get("clients/").json()["results"] == []


@pytest.mark.parametrize(
    ("name", "status"),
    [("olga", 200), ("lea", 200), ("sam", 200), ("paul", 403), ("vera", 403), ("ada", 403)],
)
def test_are_changed_by_whom_the_table_says(cast: Cast, name: str, status: int) -> None:
    client = a_client(cast)

    assert cast.api(name).patch(f"clients/{client.pk}/", {"sector": "x"}).status_code == status

    client.refresh_from_db()
    assert client.sector == ("x" if status == 200 else "")


def test_cost_the_same_statements_for_one_and_for_twenty(cast: Cast) -> None:
    sam = cast.api("sam")
    client = a_client(cast)
    a_contact(cast, client)
    paths = ("clients/", "clients/?name=mto&ordering=name", f"clients/{client.pk}/contacts/")
    assert sam.get("clients/").status_code == 200  # the routing has cached the host by now
    counts: dict[str, list[int]] = {}
    for _ in range(2):
        for path in paths:
            assert sam.get(path).status_code == 200
            counts.setdefault(path, []).append(len(sam.statements))
        for _ in range(19):
            a_client(cast)
            a_contact(cast, client)

    assert all(one == twenty for one, twenty in counts.values()), counts


def test_are_found_by_a_part_of_the_name(cast: Cast) -> None:
    client = a_client(cast, name="Mto 100% Traders")
    a_client(cast, name="Ziwa Stores")
    olga = cast.api("olga")

    for part in ("mto", "TRADERS", "100%25"):
        rows = olga.get(f"clients/?name={part}").json()["results"]
        assert [row["id"] for row in rows] == [str(client.pk)]
    assert olga.get("clients/?name=_to%25").json()["results"] == []


def test_contacts_come_and_go(cast: Cast) -> None:
    client = a_client(cast)
    olga = cast.api("olga")
    contacts = f"clients/{client.pk}/contacts/"

    added = olga.post(contacts, {"full_name": "Jane Wanjiku", "email": "jane@mto.test"})
    assert (added.status_code, added["ETag"]) == (201, '"1"')
    one = f"{contacts}{added.json()['id']}/"
    assert olga.patch(one, {"phone": "+254 700 1"}, HTTP_IF_MATCH='"1"').status_code == 200
    assert olga.patch(one, {"phone": "x"}, HTTP_IF_MATCH='"1"').status_code == 412
    assert olga.delete(one).status_code == 204
    assert olga.get(one).status_code == 404
    assert not Contact.objects.exists()


def test_contacts_of_another_client_are_not_found(cast: Cast) -> None:
    contact = a_contact(cast, a_client(cast))
    other = a_client(cast)
    olga = cast.api("olga")
    path = f"clients/{other.pk}/contacts/{contact.pk}/"

    assert olga.get(path).status_code == 404
    assert olga.patch(path, {"phone": "1"}).status_code == 404
    assert olga.delete(path).status_code == 404
    assert olga.get(f"clients/{uuid4()}/contacts/").status_code == 404
    assert Contact.objects.count() == 1


def test_are_not_deleted(cast: Cast) -> None:
    client = a_client(cast)

    assert cast.api("sam").delete(f"clients/{client.pk}/").status_code == 405
    assert Party.objects.filter(pk=client.pk).exists()
