"""Agents, managers and offices: users, memberships, teams and parent teams."""

from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from shared_apps.access.bundles import SALESPERSON
from shared_apps.access.models import Membership
from shared_apps.accounts.models import User
from shared_apps.accounts.services import NewUser, create_users
from shared_apps.kernel.operations import step
from tenant_apps.imports.context import BYPASS, Book, Place
from tenant_apps.imports.names import Names, address_of
from tenant_apps.imports.sales_book import TEAMS, Finding, Line, lines_of
from tenant_apps.teams.models import Team
from tenant_apps.teams.services import add_member, create_team


@step
@transaction.atomic
def import_people(*, directory: Path, book: Book) -> None:
    """Make the people and teams that do not stand yet; learn those that do.

    Nobody made here can sign in before a password is set by a reset link. Who holds a role already
    is not placed anew: the organization may have moved them since.
    """
    rows = list(_rows(directory, book))
    managers = _managers(rows, book)
    names = {row["sales_agent"] for row in rows} | set(managers.values())
    users = _users(names, book)
    placed = set(
        Membership.objects.active()
        .filter(user__in=list(users.values()), role__code=SALESPERSON)
        .values_list("user_id", flat=True)
    )
    offices = {
        office: _team(office, parent=None, lead=None, book=book)
        for office in sorted({row["regional_office"] for row in rows if row["regional_office"]})
    }
    for row in rows:
        manager, office = managers[row["manager"]], row["regional_office"]
        team = _team(
            f"{manager} ({office})" if office else manager,
            parent=offices.get(office),
            lead=users[manager],
            book=book,
        )
        agent = users[row["sales_agent"]]
        if agent.pk not in placed:
            add_member(actor=book.recorder, team_id=team.pk, user_id=agent.pk, role=SALESPERSON)
        book.agents[row["sales_agent"]] = Place(agent.pk, team.unit_id)


def _rows(directory: Path, book: Book) -> Iterator[Line]:
    for line in lines_of(directory=directory, file_name=TEAMS):
        if isinstance(line, Finding):
            book.found.append(line)
            continue
        agent, manager = line["sales_agent"], line["manager"]
        if not agent or not manager:
            book.refused(
                TEAMS, line.number, agent, "name_missing", "The row names no agent or no manager."
            )
        elif book.agent_names.find(agent) is not None:
            book.refused(
                TEAMS, line.number, agent, "agent_repeated", "The agent stands in a row above."
            )
        else:
            book.agent_names.add(agent)
            yield line


def _managers(rows: list[Line], book: Book) -> dict[str, str]:
    """Each manager's name as it first stands in the book; an agent's, where they are one."""
    names = Names()
    for row in rows:
        names.add(row["sales_agent"])
    spelt: dict[str, str] = {}
    for row in rows:
        manager = row["manager"]
        found = names.find(manager)
        if found is None:
            found = manager
            names.add(manager)
        elif found != manager:
            book.mended(
                TEAMS,
                row.number,
                row["sales_agent"],
                "manager_respelt",
                f"manager {manager!r} is taken for {found!r}.",
            )
        spelt[manager] = found
    return spelt


def _users(names: set[str], book: Book) -> dict[str, User]:
    addresses = {name: address_of(name, mail_domain=book.mail_domain) for name in names}
    known = {user.email: user for user in User.objects.filter(email__in=list(addresses.values()))}
    missing = sorted(name for name in names if addresses[name] not in known)
    if missing:
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
