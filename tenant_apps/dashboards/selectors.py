"""What dashboards show. Each costs a fixed number of statements, whatever the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import QuerySet

from shared_apps.access.models import Membership
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import NotFound
from shared_apps.kernel.money import Money
from tenant_apps.dashboards.figures import (
    Dimension,
    Grain,
    grain_of,
    last_periods,
    year_around,
)
from tenant_apps.dashboards.models import Rollup
from tenant_apps.parties.selectors import parties_by_id
from tenant_apps.payments.models import Method
from tenant_apps.payments.selectors import Queue, queue_visible_to
from tenant_apps.products.models import Product
from tenant_apps.teams.models import Team
from tenant_apps.teams.selectors import teams_of_units
from tenants.context import current_organization

# A summary shows the largest of what can be many; the list of figures pages through all.
MAXIMUM_ROWS = 100
MAXIMUM_QUARTERS = 20


@dataclass(slots=True, kw_only=True)
class Figures:
    """What one subject won, collected and earned in one period and currency."""

    subject: str
    name: str
    period: str
    currency: str
    won_count: int = 0
    won_minor: int = 0
    collected_count: int = 0
    collected_minor: int = 0
    commission_count: int = 0
    commission_minor: int = 0

    @property
    def won(self) -> Money:
        return Money(self.won_minor, self.currency)

    @property
    def collected(self) -> Money:
        return Money(self.collected_minor, self.currency)

    @property
    def commission(self) -> Money:
        return Money(self.commission_minor, self.currency)

    def add(self, row: Rollup) -> None:
        """Take a row of the same period and currency in."""
        self.won_count += row.won_count
        self.won_minor += row.won_minor
        self.collected_count += row.collected_count
        self.collected_minor += row.collected_minor
        self.commission_count += row.commission_count
        self.commission_minor += row.commission_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesDashboard:
    """One agent's figures: all time, and period by period, the newest first."""

    agent_id: UUID
    agent_name: str
    totals: list[Figures]
    by_period: list[Figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDashboard:
    """What waits for verification, and how verified money came in this month and ever."""

    queue: Queue
    month: str
    collected_this_month: list[Figures]
    collected_ever: list[Figures]


@dataclass(slots=True, kw_only=True)
class Summary:
    """The organization in one period. `shortened` names what has more rows than are shown."""

    period: str
    totals: list[Figures]
    by_quarter: list[Figures]
    by_agent: list[Figures]
    by_team: list[Figures]
    by_manager: list[Figures]
    by_office: list[Figures]
    by_client: list[Figures]
    by_product: list[Figures]
    by_method: list[Figures]
    shortened: list[str] = field(default_factory=list)


def rollup_of(*, dimension: Dimension, grain: Grain | None = None) -> QuerySet[Rollup]:
    """The rows of one breakdown that show anything."""
    rows = Rollup.objects.filter(dimension=dimension.value)
    return rows if grain is None else rows.filter(grain=grain.value)


def require_whole_organization(actor: Actor) -> None:
    """The figures of all are for those who reach all: holding the role in a team is not enough.

    :raises Forbidden: the actor does not.
    """
    actor.require("dashboards.view_summary", root_unit())


def sales_dashboard(
    *, actor: Actor, agent_id: UUID | None, grain: Grain, number: int
) -> SalesDashboard:
    """The figures of an agent (the actor, if none is named) for the last `number` periods.

    :raises Forbidden: the actor may see no sales figures.
    :raises NotFound: the agent is nobody whose figures the actor may see.
    """
    actor.require("dashboards.view_sales")
    wanted = agent_id or actor.user_id
    agent = User.objects.filter(pk=wanted).first()
    if agent is None or not _may_see(actor, agent):
        raise NotFound("There is no such agent.")
    rows = rollup_of(dimension=Dimension.AGENT).filter(subject=str(agent.pk))
    periods = _last_periods(grain, number=number)
    shown = rows.filter(grain=grain.value, period__in=periods)
    return SalesDashboard(
        agent_id=agent.pk,
        agent_name=agent.full_name,
        totals=_plain(rows.filter(grain=Grain.ALL.value).order_by("currency"), agent.full_name),
        by_period=_plain(shown.order_by("-period", "currency"), agent.full_name),
    )


def queue_dashboard(*, actor: Actor) -> QueueDashboard:
    """The verifier's figures.

    :raises Forbidden: the actor may not see them.
    """
    actor.require("dashboards.view_queue")
    (month,) = _last_periods(Grain.MONTH, number=1)
    by_method = rollup_of(dimension=Dimension.METHOD).order_by("subject", "currency")
    labels = dict(Method.choices)
    collected: dict[str, list[Figures]] = {}
    for row in by_method.filter(period__in=[month, "all"]):
        name = str(labels.get(row.subject, row.subject))
        collected.setdefault(row.period, []).append(_figures(row, name))
    return QueueDashboard(
        queue=queue_visible_to(actor),
        month=month,
        collected_this_month=collected.get(month, []),
        collected_ever=collected.get("all", []),
    )


def summary(*, actor: Actor, period: str) -> Summary:
    """The organization's figures in a period ("all", "2017", "2017-Q1" or "2017-03").

    :raises Forbidden: the actor may not see the figures of all.
    """
    require_whole_organization(actor)
    units = list(_of(Dimension.UNIT, period))
    found = Summary(
        period=period,
        totals=_plain(_of(Dimension.ORGANIZATION, period), current_organization().name),
        by_quarter=_quarters(period),
        by_agent=_largest(Dimension.AGENT, period),
        by_team=_by_team(units),
        by_manager=_by_manager(units),
        by_office=_by_office(units),
        by_client=_largest(Dimension.CLIENT, period),
        by_product=_largest(Dimension.PRODUCT, period),
        by_method=_largest(Dimension.METHOD, period),
    )
    for name in ("by_agent", "by_client", "by_product"):
        rows = getattr(found, name)
        if len(rows) > MAXIMUM_ROWS:
            found.shortened.append(name)
            del rows[MAXIMUM_ROWS:]
    return found


def named(*, rows: Sequence[Rollup], dimension: Dimension) -> list[Figures]:
    """The rows with the names of their subjects: one more statement, however many rows."""
    names = _names(dimension, {row.subject for row in rows})
    return [_figures(row, names.get(row.subject, "")) for row in rows]


def _last_periods(grain: Grain, *, number: int) -> list[str]:
    organization = current_organization()
    return last_periods(
        day=clock.today(organization.time_zone),
        grain=grain,
        number=number,
        calendar=organization.fiscal_calendar,
    )


def _may_see(actor: Actor, agent: User) -> bool:
    if agent.pk == actor.user_id:
        return True
    # Figures of a person are for those who reach a unit in which the person works.
    places = Membership.objects.active().filter(user_id=agent.pk)
    return actor.visible(places, "dashboards.view_sales").exists()


def _of(dimension: Dimension, period: str) -> QuerySet[Rollup]:
    rows = rollup_of(dimension=dimension, grain=grain_of(period)).filter(period=period)
    return rows.order_by("-won_minor", "-collected_minor", "subject", "currency")


def _largest(dimension: Dimension, period: str) -> list[Figures]:
    return named(rows=list(_of(dimension, period)[: MAXIMUM_ROWS + 1]), dimension=dimension)


def _quarters(period: str) -> list[Figures]:
    """The quarters of the fiscal year of the period, or the last ones of all."""
    rows = rollup_of(dimension=Dimension.ORGANIZATION, grain=Grain.QUARTER)
    if period != "all":
        year = year_around(period, calendar=current_organization().fiscal_calendar)
        rows = rows.filter(period__startswith=year)
    shown = rows.order_by("-period", "currency")[:MAXIMUM_QUARTERS]
    return _plain(shown, current_organization().name)


def _by_team(units: Sequence[Rollup]) -> list[Figures]:
    return named(rows=units, dimension=Dimension.UNIT)


def _by_manager(units: Sequence[Rollup]) -> list[Figures]:
    """Teams together under the one who leads them today."""
    teams = _teams(units)
    people = {
        unit_id: (str(team.lead.pk), team.lead.full_name)
        for unit_id, team in teams.items()
        if team.lead is not None
    }
    return _gathered(units, people)


def _by_office(units: Sequence[Rollup]) -> list[Figures]:
    """Teams together under their parent; a team that has none stands for itself."""
    offices = {}
    for unit_id, team in _teams(units).items():
        office = team.parent or team
        offices[unit_id] = (str(office.pk), office.name)
    return _gathered(units, offices)


def _teams(units: Sequence[Rollup]) -> dict[str, Team]:
    found = teams_of_units(unit_ids={UUID(row.subject) for row in units})
    return {str(unit_id): team for unit_id, team in found.items()}


def _gathered(units: Sequence[Rollup], places: dict[str, tuple[str, str]]) -> list[Figures]:
    """Rows of units added up by what each unit belongs to; those of no team under no name."""
    sums: dict[tuple[str, str], Figures] = {}
    for row in units:
        subject, name = places.get(row.subject, ("", ""))
        figures = sums.setdefault(
            (subject, row.currency),
            Figures(subject=subject, name=name, period=row.period, currency=row.currency),
        )
        figures.add(row)
    return sorted(sums.values(), key=lambda found: (-found.won_minor, found.name, found.currency))


def _names(dimension: Dimension, subjects: set[str]) -> dict[str, str]:
    if dimension == Dimension.ORGANIZATION:
        return {"": current_organization().name}
    if dimension == Dimension.METHOD:
        return {key: str(label) for key, label in Method.choices}
    ids = {UUID(subject) for subject in subjects}
    if dimension == Dimension.AGENT:
        return _texts(User.objects.filter(pk__in=ids).values_list("id", "full_name"))
    if dimension == Dimension.CLIENT:
        return _texts((key, party.name) for key, party in parties_by_id(party_ids=ids).items())
    if dimension == Dimension.PRODUCT:
        return _texts(Product.objects.filter(pk__in=ids).values_list("id", "name"))
    return _texts((key, team.name) for key, team in teams_of_units(unit_ids=ids).items())


def _texts(pairs: Iterable[tuple[UUID, str]]) -> dict[str, str]:
    return {str(key): name for key, name in pairs}


def _plain(rows: Iterable[Rollup], name: str) -> list[Figures]:
    return [_figures(row, name) for row in rows]


def _figures(row: Rollup, name: str) -> Figures:
    figures = Figures(subject=row.subject, name=name, period=row.period, currency=row.currency)
    figures.add(row)
    return figures
