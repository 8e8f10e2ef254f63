"""Reads of quotas and of what is used."""

from dataclasses import dataclass

from shared_apps.kernel import clock
from tenant_apps.usage.models import UsageCounter
from tenants.context import current_organization
from tenants.models import Organization

PER_MONTH = "_per_month"


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """A quota of the plan; `limit` is None where it is unlimited."""

    name: str
    period: str
    used: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.used, 0)


def limit_of(organization: Organization, name: str) -> int | None:
    """The plan's limit, None where there is none."""
    limit = organization.entitlements.get("quotas", {}).get(name)
    return None if limit is None else int(limit)


def period_of(organization: Organization, name: str) -> str:
    """The period that counts now: the month in the organization's time zone, or empty."""
    if not name.endswith(PER_MONTH):
        return ""
    return clock.today(organization.time_zone).strftime("%Y-%m")


def used_of(*, name: str, period: str) -> int:
    row = UsageCounter.objects.filter(name=name, period=period).values_list("used", flat=True)
    return row.first() or 0


def quota_uses() -> list[QuotaUse]:
    """Every quota of the plan, and every other thing that is counted."""
    organization = current_organization()
    names = set(organization.entitlements.get("quotas", {})) | {"users", "deals_per_month"}
    periods = {name: period_of(organization, name) for name in names}
    counted = {
        (row.name, row.period): row.used
        for row in UsageCounter.objects.filter(name__in=names, period__in=set(periods.values()))
    }
    return [
        QuotaUse(
            name=name,
            period=periods[name],
            used=counted.get((name, periods[name]), 0),
            limit=limit_of(organization, name),
        )
        for name in sorted(names)
    ]
