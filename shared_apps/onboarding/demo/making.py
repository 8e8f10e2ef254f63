"""Makes the demo organization and writes its logins down."""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction

from shared_apps.access.actors import system_actor
from shared_apps.access.bundles import ADMIN as ADMIN_ROLE
from shared_apps.access.bundles import (
    SALESPERSON,
    SELLER,
    SUPERVISOR,
    TEAM_LEAD,
    VERIFIER,
    WALLET_ADMIN,
)
from shared_apps.access.selectors import root_unit
from shared_apps.access.services import place_member
from shared_apps.accounts.models import User
from shared_apps.accounts.services import NewUser, create_users, enrol_at_once
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from shared_apps.onboarding.demo import cast
from shared_apps.onboarding.demo.credit import make_credit
from shared_apps.onboarding.demo.history import Seller, make_history
from shared_apps.onboarding.demo.limits import make_limits
from shared_apps.onboarding.services import SignUpFacts, provision_organization
from shared_apps.plans.selectors import plan_by_code
from tenant_apps.commissions.services import add_plan
from tenant_apps.parties.services import NewClient, record_clients
from tenant_apps.products.models import TaxCategory
from tenant_apps.products.services import NewProduct, record_products, record_tax_rate
from tenant_apps.teams.services import add_member, create_team
from tenants.context import platform_context, tenant_context
from tenants.links import base_address
from tenants.models import Organization
from tenants.selectors import host_of

# Who must show a second factor, and those for whom it is shown how.
WITH_SECOND_FACTOR = (ADMIN_ROLE, SUPERVISOR)


@dataclass(frozen=True, slots=True)
class Login:
    """What a person needs to sign in to the demo. The TOTP secret is empty where none is set."""

    role: str
    name: str
    email: str
    password: str
    totp_secret: str
    address: str


@step
def make_demo(*, logins_path: Path) -> tuple[Organization, int]:
    """Make the demo organization, in one transaction; its logins are written to `logins_path`.

    Returns it and the number of its deals.

    :raises OrganizationInPreparation: no spare schema waits.
    :raises SubdomainTaken: the demo stands already.
    """
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    actor = system_actor("demo", quiet=True)
    with platform_context(reason="make the demo organization"), transaction.atomic():
        organization, admin_id = provision_organization(
            facts=_facts(),
            plan=plan_by_code("scale"),
            admin_email=cast.ADMIN.email,
            admin_name=cast.ADMIN.name,
            password_hash=make_password(password),
            organization_id=uuid7(),
            actor=actor,
        )
        with tenant_context(organization):
            people, units = _make_people(password=password, actor=actor)
            people[cast.ADMIN.email] = User.objects.get(pk=admin_id)
            deals = _make_business(people, units, actor=actor)
            _make_credit(people)
            logins = _logins(people, password=password, actor=actor)
            _write(logins, logins_path)
    return organization, deals


def _facts() -> SignUpFacts:
    return SignUpFacts(
        name=cast.NAME,
        legal_name=f"{cast.NAME} Limited",
        subdomain=cast.SUBDOMAIN,
        country=cast.COUNTRY,
        tax_number="P000000000D",
        base_currency=cast.CURRENCY,
        time_zone=cast.TIME_ZONE,
        fiscal_year_start_month=1,
        fiscal_year_start_day=1,
    )


def _make_people(*, password: str, actor: Actor) -> tuple[dict[str, User], dict[str, UUID]]:
    """Staff, and the unit of each team."""
    made = create_users(
        people=[
            NewUser(
                email=person.email, full_name=person.name, password_hash=make_password(password)
            )
            for person in cast.STAFF
        ],
        actor=actor,
    )
    people = {user.email: user for user in made}
    units: dict[str, UUID] = {}
    for name in cast.TEAMS:
        lead = next(p for p in cast.STAFF if p.team == name and p.role == TEAM_LEAD)
        team = create_team(actor=actor, name=name, lead_id=people[lead.email].pk)
        units[name] = team.unit_id
        for person in cast.STAFF:
            if person.team == name and person.role == SALESPERSON:
                add_member(actor=actor, team_id=team.pk, user_id=people[person.email].pk)
    for person in cast.STAFF:
        if person.role in (SUPERVISOR, VERIFIER, WALLET_ADMIN, SELLER):
            place_member(
                actor=actor, user_id=people[person.email].pk, unit=root_unit(), role=person.role
            )
    return people, units


def _make_business(people: dict[str, User], units: dict[str, UUID], *, actor: Actor) -> int:
    rate = record_tax_rate(
        actor=actor,
        code="VAT16",
        name="VAT 16 %",
        category=TaxCategory.STANDARD,
        percent=Decimal(16),
        is_default=True,
    )
    add_plan(actor=actor, name="Four per cent", percent=Decimal(4), starts_on=date(2020, 1, 1))
    products = record_products(
        actor=actor,
        products=[
            NewProduct(
                code=code,
                name=name,
                series=series,
                list_price=Money(price * 100, cast.CURRENCY),
                tax_rate_id=rate.id,
            )
            for code, name, series, price in cast.PRODUCTS
        ],
    )
    owners = [person for person in cast.STAFF if person.role == SALESPERSON]
    clients = record_clients(
        actor=actor,
        clients=[
            NewClient(
                name=name,
                legal_name=f"{name} Limited",
                sector=sector,
                country=cast.COUNTRY,
                city="Mombasa" if position % 2 else "Nakuru",
                owner_id=people[owner.email].pk,
                unit_id=units[owner.team],
                payment_terms_days=30,
            )
            for position, (name, sector) in enumerate(cast.clients())
            for owner in (owners[position % len(owners)],)
        ],
    )
    sellers = [
        Seller(people[person.email].pk, units[person.team], person.luck)
        for person in cast.STAFF
        if person.team
    ]
    verifier = next(person for person in cast.STAFF if person.role == VERIFIER)
    client_ids = [client.id for client in clients]
    deals = make_history(
        sellers=sellers,
        client_ids=client_ids,
        products=[(product.id, product.list_price_minor // 100) for product in products],
        verifier_id=people[verifier.email].pk,
    )
    make_limits(client_ids=client_ids, actor=actor)
    return deals


def _make_credit(people: dict[str, User]) -> None:
    of_role = {
        role: [people[person.email].pk for person in cast.STAFF if person.role == role]
        for role in (SELLER, WALLET_ADMIN)
    }
    make_credit(seller_ids=of_role[SELLER], keeper_id=of_role[WALLET_ADMIN][0])


def _logins(people: dict[str, User], *, password: str, actor: Actor) -> list[Login]:
    address = base_address(host_of(cast.SUBDOMAIN))
    logins = []
    for person in (cast.ADMIN, *cast.STAFF):
        secret = ""
        if person.role in WITH_SECOND_FACTOR:
            acting = actor.changed(user_id=people[person.email].pk)
            enrolment, _ = enrol_at_once(user_id=people[person.email].pk, actor=acting)
            secret = enrolment.secret
        logins.append(Login(person.role, person.name, person.email, password, secret, address))
    return logins


def _write(logins: list[Login], path: Path) -> None:
    """Only whoever runs the demo may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    text = json.dumps([{slot: getattr(one, slot) for slot in one.__slots__} for one in logins])
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
