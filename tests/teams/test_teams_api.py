"""Teams through the API."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import User
from tenant_apps.teams.models import Team
from tests.people import client_of, make_person, make_team

TEAMS = "/api/v1/teams/"


def statements(client: Any, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def test_a_stale_etag_is_refused(admin: User, north: Team) -> None:
    client = client_of(admin)
    etag = client.get(f"{TEAMS}{north.pk}/").headers["ETag"]

    assert client.patch(f"{TEAMS}{north.pk}/", {"name": "A"}, HTTP_IF_MATCH=etag).status_code == 200
    assert client.patch(f"{TEAMS}{north.pk}/", {"name": "B"}, HTTP_IF_MATCH=etag).status_code == 412
    north.refresh_from_db()
    assert north.name == "A"


def test_version_and_unit_are_not_taken(admin: User, north: Team, south: Team) -> None:
    client = client_of(admin)
    for extra in ({"version": 99}, {"unit_id": str(south.unit_id)}, {"closed_at": None}):
        answer = client.patch(f"{TEAMS}{north.pk}/", {"name": "X"} | extra)
        assert answer.status_code == 400
    north.refresh_from_db()
    assert (north.name, north.version) == ("North", 1)


def test_a_lead_runs_members_through_the_api(lead: User, north: Team, south: Team) -> None:
    client = client_of(lead)
    newcomer = make_person("Nora New")
    members = f"{TEAMS}{north.pk}/members/"

    assert client.post(members, {"user_id": str(newcomer.pk)}).status_code == 201
    shown = client.get(members).json()["results"]
    assert {row["full_name"] for row in shown} == {"Lea Lead", "Nora New"}
    assert client.delete(f"{members}{newcomer.pk}/").status_code == 204
    refused = client.post(f"{TEAMS}{south.pk}/members/", {"user_id": str(newcomer.pk)})
    assert refused.status_code == 403


def test_a_salesperson_sees_the_own_team_only(salesperson: User, north: Team, south: Team) -> None:
    client = client_of(salesperson)

    assert [row["name"] for row in client.get(TEAMS).json()["results"]] == ["North"]
    assert client.get(f"{TEAMS}{south.pk}/").status_code == 404
    assert client.get(f"{TEAMS}{south.pk}/members/").status_code == 404


def test_lists_do_not_grow_in_statements(admin: User, north: Team) -> None:
    client = client_of(admin)
    members = f"{TEAMS}{north.pk}/members/"
    before = statements(client, TEAMS), statements(client, members)
    for number in range(10):
        make_team(f"Team {number}", lead=make_person(f"Lead {number}"))
        make_person(f"Seller {number}", role="salesperson", unit=north.unit)

    assert (statements(client, TEAMS), statements(client, members)) == before
