"""Suspend, resume, change the plan. The console calls these; they hold at once."""

from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.operations import step
from shared_apps.onboarding.errors import OrganizationStateUnchanged
from shared_apps.onboarding.events import OrganizationResumed, OrganizationSuspended, PlanChanged
from shared_apps.plans.selectors import plan_by_code
from tenants.models import Organization, OrganizationState
from tenants.services import set_entitlements, set_state

# What only platform staff hold: an organization's own roles never do.
MANAGE = "tenants.change_organization"


@step
def told_reason(*, reason: str) -> str:
    """The reason as it is kept in the log.

    :raises BadInput: none is given.
    """
    told = reason.strip()
    if not told:
        raise BadInput.field("reason", detail="Say why: it is kept in the log.")
    return told[:500]


@transaction.atomic
def suspend_organization(*, organization_id: UUID, reason: str, actor: Actor) -> Organization:
    """Stop serving an organization: requests, tasks and sockets refuse it from now on.

    :raises OrganizationStateUnchanged: it is suspended already.
    :raises BadInput: no reason is given.
    """
    actor.require(MANAGE)
    told = told_reason(reason=reason)
    organization = Organization.objects.select_for_update(no_key=True).get(id=organization_id)
    if organization.state == OrganizationState.SUSPENDED:
        raise OrganizationStateUnchanged("It is suspended already.")
    organization = set_state(organization_id=organization_id, state=OrganizationState.SUSPENDED)
    audit.record(OrganizationSuspended(subject_id=organization_id, reason=told), actor=actor)
    return organization


@transaction.atomic
def resume_organization(*, organization_id: UUID, reason: str, actor: Actor) -> Organization:
    """Serve a suspended organization again.

    :raises OrganizationStateUnchanged: it is not suspended.
    :raises BadInput: no reason is given.
    """
    actor.require(MANAGE)
    told = told_reason(reason=reason)
    organization = Organization.objects.select_for_update(no_key=True).get(id=organization_id)
    if organization.state != OrganizationState.SUSPENDED:
        raise OrganizationStateUnchanged("It is not suspended.")
    ends_on = organization.trial_ends_on
    in_trial = ends_on is not None and clock.today(organization.time_zone) <= ends_on
    state = OrganizationState.TRIAL if in_trial else OrganizationState.ACTIVE
    organization = set_state(organization_id=organization_id, state=state)
    audit.record(OrganizationResumed(subject_id=organization_id, reason=told), actor=actor)
    return organization


@transaction.atomic
def change_plan(
    *, organization_id: UUID, plan_code: str, reason: str, actor: Actor
) -> Organization:
    """Give an organization another plan. What it has already stays; quotas count from now on.

    :raises NoSuchPlan: there is no such plan.
    :raises OrganizationStateUnchanged: it is on this plan already.
    :raises BadInput: no reason is given.
    """
    actor.require(MANAGE)
    told = told_reason(reason=reason)
    plan = plan_by_code(plan_code)
    organization = Organization.objects.select_for_update(no_key=True).get(id=organization_id)
    former = organization.plan_code
    if former == plan.code and organization.entitlements == plan.entitlements():
        raise OrganizationStateUnchanged(f"It is on the plan {plan.name} already.")
    organization = set_entitlements(
        organization_id=organization_id, plan_code=plan.code, entitlements=plan.entitlements()
    )
    audit.record(
        PlanChanged(
            subject_id=organization_id,
            plan_code=plan.code,
            former_plan_code=former,
            reason=told,
        ),
        actor=actor,
    )
    return organization
