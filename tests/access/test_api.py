"""What the API of people and rights answers: to whom, how often it asks, and what it refuses."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from shared_apps.access import services
from shared_apps.access.models import Membership, Unit
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from tenant_apps.teams.models import Team
from tenants.context import tenant_context
from tests.people import actor_of, client_of, machine, make_person

USERS = "/api/v1/users/"
MEMBERSHIPS = "/api/v1/memberships/"


def statements(client: Any, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len([query for query in seen if "set_config" not in query["sql"]])


class TestSecondFactor:
    """Whoever administers proves it; nobody else must."""

    def test_an_admin_without_one_can_only_enrol(self, admin: User) -> None:
        client = client_of(admin, second_factor=False)

        answer = client.get(USERS)

        assert answer.status_code == 403
        assert answer.json()["code"] == "second_factor_enrolment_required"
        assert client.get("/api/v1/second-factor/").status_code == 200

    def test_it_is_demanded_from_the_moment_of_becoming_an_admin(
        self, admin: User, salesperson: User
    ) -> None:
        client = client_of(salesperson, second_factor=False)
        assert client.get(USERS).status_code == 200

        services.grant_membership(
            actor=actor_of(admin),
            user_id=salesperson.pk,
            unit_id=root_unit().pk,
            role="admin",
        )

        assert client.get(USERS).status_code == 403

    def test_the_reading_base_views_demand_it_too(self, admin: User) -> None:
        client = client_of(admin, second_factor=False)
        for path in ("me/permissions/", "permissions/", "teams/", "approvals/"):
            assert client.get(f"/api/v1/{path}").status_code == 403, path


class TestAtOnce:
    """Rights are those of the moment, in a session that lives on."""

    def test_an_ended_membership_ends_access(self, lead: User, north: Team) -> None:
        client = client_of(lead)
        assert client.get("/api/v1/teams/").status_code == 200

        held = Membership.objects.get(user=lead)
        services.revoke_membership(actor=machine(), membership_id=held.pk)

        assert client.get("/api/v1/teams/").status_code == 403
        assert client.get(f"/api/v1/teams/{north.pk}/").status_code == 404

    def test_a_deactivated_person_is_out(self, admin: User, lead: User) -> None:
        client = client_of(lead)
        answer = client_of(admin).post(f"{USERS}{lead.pk}/deactivation/")

        assert answer.status_code == 201
        assert client.get(USERS).status_code == 401


class TestStatements:
    """What a request costs does not depend on how much there is."""

    def test_rights_take_one_statement_beside_the_session(self, admin: User) -> None:
        assert statements(client_of(admin), "/api/v1/me/permissions/") == 2

    @pytest.mark.parametrize("path", ["users", "memberships", "roles", "units", "audit-entries"])
    def test_lists_do_not_grow_in_statements(self, path: str, admin: User, north: Team) -> None:
        client = client_of(admin)
        few = statements(client, f"/api/v1/{path}/")
        for number in range(10):
            make_person(f"Person {number}", role="salesperson", unit=north.unit)

        assert statements(client, f"/api/v1/{path}/") == few


class TestRefusals:
    """Nothing changes by asking wrongly."""

    def test_not_visible_is_404_and_visible_but_forbidden_403(
        self, salesperson: User, outsider: User, supervisor: User
    ) -> None:
        assert client_of(salesperson).get(f"{USERS}{outsider.pk}/").status_code == 404
        answer = client_of(supervisor).post(f"{USERS}{outsider.pk}/deactivation/")
        assert answer.status_code == 403
        assert client_of(salesperson).get(f"{USERS}{uuid4()}/").status_code == 404
        outsider.refresh_from_db()
        assert outsider.is_active

    @pytest.mark.parametrize(
        "extra",
        [
            {"is_active": True},
            {"is_staff": True},
            {"created_by_id": str(uuid4())},
            {"id": str(uuid4())},
        ],
    )
    def test_fields_that_are_not_asked_for_are_refused(
        self, extra: dict[str, Any], admin: User, salesperson: User
    ) -> None:
        client = client_of(admin)
        membership = {
            "user_id": str(salesperson.pk),
            "unit_id": str(root_unit().pk),
            "role": "supervisor",
        }
        invitation = {"email": "new@acme.example", "full_name": "New Person"}

        for path, body in ((MEMBERSHIPS, membership), ("/api/v1/invitations/", invitation)):
            answer = client.post(path, body | extra)
            assert answer.status_code == 400
            assert answer.json()["errors"][0]["code"] == "unknown_field"
        assert Membership.objects.filter(user=salesperson).count() == 1
        assert not User.objects.filter(email="new@acme.example").exists()

    def test_a_standard_flag_is_not_taken(self, admin: User) -> None:
        body = {"code": "mine", "name": "Mine", "is_standard": True}
        assert client_of(admin).post("/api/v1/roles/", body).status_code == 400

    @pytest.mark.parametrize("query", ["password=x", "user__password=x", "ordering=password"])
    def test_unknown_queries_are_refused(self, query: str, admin: User) -> None:
        assert client_of(admin).get(f"{USERS}?{query}").status_code == 400

    def test_a_refusal_is_logged_with_who_wanted_what(
        self, supervisor: User, salesperson: User
    ) -> None:
        client = client_of(supervisor)
        with capture_logs() as logged:
            client.post(f"{USERS}{salesperson.pk}/deactivation/")

        [refused] = [line for line in logged if line["event"] == "permission_refused"]
        assert refused["permission"] == "accounts.deactivate_user"
        assert refused["user_id"] == str(supervisor.pk)
        assert refused["session_id"] == str(client.session_row.pk)

    def test_a_salesperson_raises_nothing(self, salesperson: User, north: Team) -> None:
        client = client_of(salesperson)
        own = Membership.objects.get(user=salesperson)
        for unit_id in (north.unit_id, root_unit().pk):
            answer = client.post(
                MEMBERSHIPS,
                {"user_id": str(salesperson.pk), "unit_id": str(unit_id), "role": "team_lead"},
            )
            assert answer.status_code == 403
        assert client.delete(f"{MEMBERSHIPS}{own.pk}/").status_code == 403
        assert client.post("/api/v1/roles/", {"code": "x", "name": "x"}).status_code == 403
        assert Membership.objects.filter(user=salesperson, is_active=True).count() == 1


class TestPeople:
    """Inviting, closing out, letting in."""

    def test_an_invited_person_has_the_first_roles(self, admin: User, north: Team) -> None:
        answer = client_of(admin).post(
            "/api/v1/invitations/",
            {
                "email": "new@acme.example",
                "full_name": "Nora New",
                "roles": [{"unit_id": str(north.unit_id), "role": "salesperson"}],
            },
        )

        assert answer.status_code == 201
        shown = answer.json()
        assert shown["state"] == "invited"
        assert [role["role"] for role in shown["roles"]] == ["salesperson"]

    def test_a_lead_invites_into_the_own_team_only(
        self, lead: User, north: Team, south: Team
    ) -> None:
        client = client_of(lead)

        def invite(**rest: Any) -> int:
            body = {"email": "new@acme.example", "full_name": "Nora New", **rest}
            return int(client.post("/api/v1/invitations/", body).status_code)

        def place(unit_id: Any, role: str) -> list[dict[str, str]]:
            return [{"unit_id": str(unit_id), "role": role}]

        assert invite() == 422
        assert invite(roles=place(south.unit_id, "salesperson")) == 403
        assert invite(roles=place(root_unit().pk, "admin")) == 403
        assert not User.objects.filter(email="new@acme.example").exists()
        assert invite(roles=place(north.unit_id, "salesperson")) == 201

    def test_a_person_comes_back_with_the_former_roles(
        self, admin: User, salesperson: User
    ) -> None:
        client = client_of(admin)
        client.post(f"{USERS}{salesperson.pk}/deactivation/")
        assert actor_of(salesperson).roles == ()

        answer = client.post(f"{USERS}{salesperson.pk}/reactivation/")

        assert answer.json()["state"] == "active"
        assert actor_of(salesperson).roles == ("salesperson",)

    def test_lists_narrow(self, admin: User, salesperson: User, north: Team) -> None:
        client = client_of(admin)

        def names(query: str) -> list[str]:
            return [row["full_name"] for row in client.get(f"{USERS}?{query}").json()["results"]]

        assert names("role=salesperson") == ["Sam Seller"]
        assert names(f"unit={north.unit_id}") == ["Sam Seller"]
        assert names("email=ADA.admin@acme.example") == ["Ada Admin"]
        assert names("state=deactivated") == []


class TestAudit:
    """Readable by admins, with filters, for nobody else."""

    def test_filters(self, admin: User, salesperson: User) -> None:
        client = client_of(admin)
        held = Membership.objects.get(user=salesperson)

        def found(query: str) -> int:
            answer = client.get(f"/api/v1/audit-entries/?{query}")
            assert answer.status_code == 200, answer.content
            return len(answer.json()["results"])

        assert found(f"subject_type=access.membership&subject_id={held.pk}") == 1
        assert found(f"event=access.membership_granted&subject_id={held.pk}") == 1
        assert found(f"actor={salesperson.pk}") == 0
        assert found("from=2999-01-01T00:00:00Z") == 0
        assert found("to=2001-01-01T00:00:00Z") == 0

    @pytest.mark.parametrize("who", ["supervisor", "verifier", "lead", "salesperson"])
    def test_is_closed_to_others(self, who: str, request: pytest.FixtureRequest) -> None:
        client = client_of(request.getfixturevalue(who))
        entry = AuditEntry.objects.first()
        assert entry is not None
        for path in (
            "audit-entries/",
            f"audit-entries/{entry.pk}/",
            f"field-history/?subject_type=access.unit&subject_id={root_unit().pk}",
        ):
            assert client.get(f"/api/v1/{path}").status_code == 403

    def test_the_field_history_names_who_changed_what(self, admin: User, north: Team) -> None:
        client = client_of(admin)
        client.patch(f"/api/v1/teams/{north.pk}/", {"name": "Far North"})

        answer = client.get(f"/api/v1/field-history/?subject_type=teams.team&subject_id={north.pk}")

        newest = answer.json()["results"][0]
        assert newest["changes"]["name"] == ["North", "Far North"]
        assert newest["actor_user_id"] == str(admin.pk)

    def test_an_act_is_audited_with_its_request(self, admin: User, salesperson: User) -> None:
        client = client_of(admin)
        answer = client.post(
            MEMBERSHIPS,
            {
                "user_id": str(salesperson.pk),
                "unit_id": str(root_unit().pk),
                "role": "supervisor",
            },
            HTTP_X_REQUEST_ID="request-0001",
        )
        entry = AuditEntry.objects.get(subject_id=answer.json()["id"])

        assert entry.request_id == "request-0001"
        assert entry.actor_user_id == admin.pk
        assert entry.actor_roles == ["admin"]
        assert entry.session_id == client.session_row.pk


class TestNeighbour:
    """Another organization's equal primary keys open nothing."""

    def test_a_token_of_acme_is_no_token_there(self, admin: User, neighbour: Any) -> None:
        client = client_of(admin, host="neighbour")

        assert client.get(USERS).status_code == 401
        assert client.get(f"/api/v1/units/{root_unit().pk}/").status_code == 401

    def test_units_have_equal_keys_and_stay_apart(self, admin: User, neighbour: Any) -> None:

        root = root_unit()
        with tenant_context(neighbour):
            assert root_unit().pk == root.pk
            assert root_unit().name != root.name
            assert not Membership.objects.filter(user_id=admin.pk).exists()
            assert actor_of(admin).roles == ()
        shown = client_of(admin).get(f"/api/v1/units/{root.pk}/").json()
        assert shown["name"] == root.name

    def test_a_change_of_an_equal_key_stays_at_home(
        self, admin: User, north: Team, neighbour: Any
    ) -> None:
        with tenant_context(neighbour):
            unit = Unit(pk=north.unit_id, parent=root_unit(), kind="team", name="Theirs")
            unit.path = root_unit().path_below(unit.pk)
            unit.save(force_insert=True)
            Team(pk=north.pk, unit=unit, name="Theirs").save(force_insert=True)
            before = AuditEntry.objects.count()

        client_of(admin).patch(f"/api/v1/teams/{north.pk}/", {"name": "Ours"})

        assert Team.objects.get(pk=north.pk).name == "Ours"
        with tenant_context(neighbour):
            assert Team.objects.get(pk=north.pk).name == "Theirs"
            assert Unit.objects.get(pk=north.unit_id).name == "Theirs"
            assert AuditEntry.objects.count() == before
