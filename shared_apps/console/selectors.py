"""What the console shows of the platform and of organizations."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared_apps.delivery.models import Mail
from shared_apps.delivery.selectors import undelivered_mails
from shared_apps.kernel import clock
from shared_apps.onboarding.models import SignUp, SignUpState
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.invariants.models import InvariantCheck
from tenant_apps.invariants.selectors import invariant_checks
from tenant_apps.ledger.models import Stop
from tenant_apps.ledger.selectors import books_stop
from tenant_apps.usage.selectors import QuotaUse, quota_uses
from tenants.context import tenant_context
from tenants.fleet import fingerprint
from tenants.models import Organization, OrganizationState, SpareSchema

MOST_MAILS = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the home page; `is_bad` asks for attention."""

    label: str
    value: str
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A mail that reached nobody, with as much of the address as tells who might be meant."""

    written_at: datetime
    template: str
    to: str
    state: str
    error: str


def platform_figures() -> list[Figure]:
    """What a super-admin looks at first."""
    now = clock.now()
    spares = SpareSchema.objects.filter(fingerprint=fingerprint()).count()
    waiting = SignUp.objects.filter(state=SignUpState.VERIFIED).count()
    oldest = (
        OutboxMessage.objects.filter(relayed_at__isnull=True)
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    lag = (now - oldest) if oldest else timedelta()
    by_state = {
        label: Organization.objects.filter(state=state).count()
        for state, label in OrganizationState.choices
    }
    week = SignUp.objects.filter(created_at__gte=now - timedelta(days=7)).count()
    undelivered = undelivered_mails().count()
    return [
        *(Figure(f"{label} organizations", str(count)) for label, count in by_state.items()),
        Figure("Sign-ups in 7 days", str(week)),
        Figure("Sign-ups waiting for a schema", str(waiting), waiting > 0),
        Figure("Spare schemas", str(spares), spares == 0),
        Figure("Event lag", f"{int(lag.total_seconds())} s", lag > timedelta(minutes=5)),
        Figure("Mails that reached nobody", str(undelivered), undelivered > 0),
    ]


def quotas_of(organization: Organization) -> list[QuotaUse]:
    """What an organization uses of its quotas: counted in its own schema."""
    with tenant_context(organization):
        return quota_uses()


def undelivered_of(organization: Organization) -> list[Undelivered]:
    """An organization's newest mails that failed or were lost, at most `MOST_MAILS`."""
    with tenant_context(organization):
        return [_shown(mail) for mail in undelivered_mails()[:MOST_MAILS]]


def undelivered_count(organization: Organization) -> int:
    """How many of an organization's mails failed or were lost."""
    with tenant_context(organization):
        return int(undelivered_mails().count())


@dataclass(frozen=True, slots=True)
class Watched:
    """How one invariant of an organization stands. Of its findings the rules alone: what the
    books say is the organization's own affair."""

    name: str
    title: str
    state: str
    red_since: datetime | None
    checked_at: datetime | None
    is_late: bool
    findings: int
    rules: str


def invariants_of(organization: Organization) -> tuple[list[Watched], Stop | None]:
    """How an organization's invariants stand, and what has stopped its books."""
    now = clock.now()
    with tenant_context(organization):
        return [_watched(check, now) for check in invariant_checks()], books_stop()


def _watched(check: InvariantCheck, now: datetime) -> Watched:
    return Watched(
        name=check.name,
        title=check.title,
        state=str(check.get_state_display()),
        red_since=check.red_since,
        checked_at=check.checked_at,
        is_late=check.is_late(at=now),
        findings=len(check.findings),
        rules=", ".join(sorted({finding["rule"] for finding in check.findings})),
    )


def watch_in_words(organization: Organization) -> str:
    """One line: what is red, what has not been looked at for long, whether the books stand."""
    checks, stop = invariants_of(organization)
    told = [f"{check.name} is red" for check in checks if check.state == "Red"]
    late = sum(check.is_late for check in checks)
    if late:
        told.append(f"{late} not checked lately")
    if stop is not None:
        told.append("the books are stopped")
    if not told:
        return "All hold" if checks else "Not checked yet"
    return ", ".join(told)


def _shown(mail: Mail) -> Undelivered:
    # The platform's people help to find a mail; whom an organization writes to is its own affair.
    name, _, domain = mail.to.partition("@")
    return Undelivered(
        written_at=mail.created_at,
        template=mail.template.replace("_", " "),
        to=f"{name[:1]}…@{domain}",
        state=str(mail.get_state_display()),
        error=mail.error,
    )


def usage_of(organizations: Iterable[Organization]) -> dict[UUID, str]:
    """One line of usage for each."""
    return {
        organization.id: ", ".join(
            f"{use.used}/{'∞' if use.limit is None else use.limit} {use.name.replace('_', ' ')}"
            for use in quotas_of(organization)
        )
        for organization in organizations
    }
