"""People of Acme with roles, teams, actors and clients, for tests that call the API."""

from datetime import timedelta
from typing import Any

from django.db import connection
from rest_framework.test import APIClient

from shared_apps.access import services as access
from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.access.models import Unit
from shared_apps.access.selectors import root_unit
from shared_apps.accounts import services as accounts
from shared_apps.accounts.models import Session, User
from shared_apps.accounts.tokens import token_pair
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenant_apps.teams import services as teams
from tenant_apps.teams.models import Team

PASSWORD = "correct-horse-battery-staple"


def machine() -> Actor:
    """The system, which sets the stage."""
    return system_actor("test")


def make_person(name: str, *, role: str | None = None, unit: Unit | None = None) -> User:
    """A person who may come in, holding the role in the unit (the root if none is given)."""
    person = accounts.create_user(
        actor=machine(),
        email=f"{name.lower().replace(' ', '.')}@acme.example",
        full_name=name,
        password=PASSWORD,
    )
    if role is not None:
        access.grant_membership(
            actor=machine(), user_id=person.pk, unit_id=(unit or root_unit()).pk, role=role
        )
    return person


def make_team(name: str, *, lead: User | None = None, parent: Team | None = None) -> Team:
    """An open team, or an office if teams are made below it."""
    return teams.create_team(
        actor=machine(),
        name=name,
        parent_id=parent.pk if parent else None,
        lead_id=lead.pk if lead else None,
    )


def actor_of(person: User) -> Actor:
    """The person as an actor, with the rights of this moment."""
    return actor_for_user(user_id=person.pk, request_id="test-request")


def session_of(person: User, *, second_factor: bool = True) -> Session:
    """A live session, its second factor shown unless said otherwise."""
    now = clock.now()
    session: Session = Session.objects.create(
        user=person,
        current_token_id=person.pk,
        last_seen_at=now,
        expires_at=now + timedelta(days=7),
        second_factor_at=now if second_factor else None,
    )
    return session


class OrganizationClient(APIClient):
    """Serving a request leaves the connection in no tenant; a test goes on in its own."""

    session_row: Session

    def request(self, **kwargs: Any) -> Any:
        ours: Any = connection
        former = ours.tenant
        try:
            return super().request(**kwargs)
        finally:
            ours.set_tenant(former)


def client_of(
    person: User, *, second_factor: bool = True, host: str = "acme"
) -> OrganizationClient:
    """A client that calls the organization's host in a session of the person."""
    session = session_of(person, second_factor=second_factor)
    client = OrganizationClient(HTTP_HOST=f"{host}.kontor.test", raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_pair(session=session).access}")
    client.session_row = session
    return client
