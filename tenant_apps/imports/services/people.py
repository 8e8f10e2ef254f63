"""Agents, managers and offices: users, memberships, teams and parent teams."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from django.db import transaction

from shared_apps.access.bundles import SALESPERSON
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.accounts.services import NewUser, create_users
from shared_apps.kernel.operations import step
from tenant_apps.imports.context import BYPASS, Book, Place
from tenant_apps.imports.sales_book import TEAMS, Finding, Line, lines_of
from tenant_apps.teams.models import Team
from tenant_apps.teams.selectors import members_of
from tenant_apps.teams.services import add_member, create_team

_NOT_LOCAL = re.compile(r"[^a-z0-9]+")


def _address(name: str, mail_domain: str) -> str:
    """An address made of the name. The book has none; people get their own when they are let in."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return f"{_NOT_LOCAL.sub('.', plain).strip('.')}@{mail_domain}"


@step
@transaction.atomic
def import_people(*, directory: Path, book: Book) -> None:
    """Make the people and teams that do not stand yet; learn those that do.

    Nobody made here can sign in before a password is set by a reset link.
    """
    rows = list(_rows(directory, book))
    names = {row["sales_agent"] for row in rows} | {row["manager"] for row in rows}
    users = _users(names, book)
    offices = {
        office: _team(office, parent=None, lead=None, book=book)
        for office in sorted({row["regional_office"] for row in rows if row["regional_office"]})
    }
    for row in rows:
        manager, office = row["manager"], row["regional_office"]
        team = _team(
            f"{manager} ({office})" if office else manager,
            parent=offices.get(office),
            lead=users[manager],
            book=book,
        )
        agent = users[row["sales_agent"]]
        if agent.pk not in _member_ids(team):
            add_member(actor=book.recorder, team_id=team.pk, user_id=agent.pk, role=SALESPERSON)
        book.agents[row["sales_agent"]] = Place(agent.pk, team.unit_id)
        book.agent_names.add(row["sales_agent"])
    book.home = Place(book.run.verifier_id, root_unit().pk)


def _rows(directory: Path, book: Book) -> Iterable[Line]:
    seen: set[str] = set()
    for line in lines_of(directory, TEAMS):
        if isinstance(line, Finding):
            book.found.append(line)
            continue
        agent, manager = line["sales_agent"], line["manager"]
        if not agent or not manager:
            book.refused(
                TEAMS, line.number, agent, "name_missing", "The row names no agent or no manager."
            )
        elif agent in seen:
            book.refused(
                TEAMS, line.number, agent, "agent_repeated", "The agent stands in a row above."
            )
        else:
            seen.add(agent)
            yield line


def _users(names: set[str], book: Book) -> dict[str, User]:
    addresses = {name: _address(name, book.mail_domain) for name in names}
    known = {user.email: user for user in User.objects.filter(email__in=list(addresses.values()))}
    missing = sorted(name for name in names if addresses[name] not in known)
    made = create_users(
        people=[NewUser(email=addresses[name], full_name=name) for name in missing],
        actor=book.recorder,
        quota_bypass_reason=BYPASS,
    )
    known |= {user.email: user for user in made}
    return {name: known[addresses[name]] for name in names}


def _team(name: str, *, parent: Team | None, lead: User | None, book: Book) -> Team:
    found: Team | None = Team.objects.filter(name=name, closed_at__isnull=True).first()
    return found or create_team(
        actor=book.recorder,
        name=name,
        parent_id=parent.pk if parent else None,
        lead_id=lead.pk if lead else None,
    )


def _member_ids(team: Team) -> set[object]:
    return set(members_of(team=team).values_list("user_id", flat=True))
