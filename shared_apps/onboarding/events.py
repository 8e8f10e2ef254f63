from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpRequested(Event):
    app: ClassVar[str] = "onboarding"
    subject_type: ClassVar[str] = "onboarding.signup"
    subdomain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpVerified(Event):
    app: ClassVar[str] = "onboarding"
    subject_type: ClassVar[str] = "onboarding.signup"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationProvisioned(Event):
    """A schema was claimed; the first admin, roles, chart and posting rules stand."""

    app: ClassVar[str] = "onboarding"
    subject_type: ClassVar[str] = "tenants.organization"
    plan_code: str
    sign_up_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSuspended(Event):
    app: ClassVar[str] = "onboarding"
    subject_type: ClassVar[str] = "tenants.organization"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationResumed(Event):
    app: ClassVar[str] = "onboarding"
    subject_type: ClassVar[str] = "tenants.organization"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(Event):
    app: ClassVar[str] = "onboarding"
    subject_type: ClassVar[str] = "tenants.organization"
    plan_code: str
    former_plan_code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainMoved(Event):
    """A host name leads to this organization now, and to the former one no more."""

    app: ClassVar[str] = "onboarding"
    subject_type: ClassVar[str] = "tenants.organization"
    host: str
    former_organization_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRemoved(Event):
    """A host name that led to this organization leads nowhere; `version` is that of its removal."""

    app: ClassVar[str] = "onboarding"
    subject_type: ClassVar[str] = "tenants.organization"
    host: str
    version: int
    reason: str
