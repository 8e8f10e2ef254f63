"""The last step: claim a schema and let the first admin in. One transaction, repeatable."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Exists, OuterRef

from shared_apps.access.actors import system_actor
from shared_apps.access.services import install_first_admin
from shared_apps.accounts.services import create_user, issue_login_code
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.operations import step
from shared_apps.kernel.transactions import retrying
from shared_apps.onboarding.errors import (
    OrganizationInPreparation,
    SubdomainTaken,
)
from shared_apps.onboarding.events import OrganizationProvisioned
from shared_apps.onboarding.models import HeldSubdomain, SignUp, SignUpState
from shared_apps.onboarding.services.sign_up import SignUpFacts
from shared_apps.onboarding.subdomains import skeleton
from shared_apps.plans.models import Plan
from shared_apps.plans.selectors import plan_by_code
from tenants.context import tenant_context
from tenants.errors import NoSpareSchema
from tenants.links import base_address
from tenants.models import Organization
from tenants.provisioning import seed
from tenants.selectors import host_of
from tenants.services import OrganizationFacts, claim_schema

logger = structlog.get_logger(__name__)
# How long after verification the link still lands the person signed in.
LANDING_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where the person goes next. The code works once, in this organization only; empty where
    the person signs in with the password instead."""

    organization: Organization
    address: str
    login_code: str


@step
@transaction.atomic
def provision_organization(
    *,
    facts: SignUpFacts,
    plan: Plan,
    admin_email: str,
    admin_name: str,
    password_hash: str,
    organization_id: UUID,
    actor: Actor,
    sign_up_id: UUID | None = None,
) -> tuple[Organization, UUID]:
    """Make an organization that can work: schema, address, first rows, first admin.

    All in one transaction: there is never half an organization. Returns it and the admin's id.

    :raises OrganizationInPreparation: no spare schema waits at this moment; ask again.
    :raises SubdomainTaken: somebody holds the subdomain, or one that looks like it.
    """
    try:
        with transaction.atomic():
            HeldSubdomain.objects.bulk_create(
                [
                    HeldSubdomain(
                        subdomain=facts.subdomain,
                        skeleton=skeleton(facts.subdomain),
                        organization_id=organization_id,
                    )
                ]
            )
            organization = claim_schema(
                facts=_organization_facts(facts, plan),
                host=host_of(facts.subdomain),
                organization_id=organization_id,
            )
    except IntegrityError:
        raise SubdomainTaken.of(facts.subdomain) from None
    except NoSpareSchema:
        raise OrganizationInPreparation(
            "A place for the organization is being prepared. Ask again in a moment.",
            retry_after=5,
        ) from None
    event = OrganizationProvisioned(
        subject_id=organization.id, plan_code=plan.code, sign_up_id=sign_up_id
    )
    with tenant_context(organization):
        seed(organization, actor=actor)
        admin = create_user(
            actor=actor,
            email=admin_email,
            full_name=admin_name,
            password_hash=password_hash,
        )
        install_first_admin(user_id=admin.id, actor=actor)
        audit.record(event, actor=actor)
    audit.record(event, actor=actor)
    return organization, admin.id


def _organization_facts(facts: SignUpFacts, plan: Plan) -> OrganizationFacts:
    return OrganizationFacts(
        name=facts.name,
        legal_name=facts.legal_name,
        country=facts.country,
        tax_number=facts.tax_number,
        base_currency=facts.base_currency,
        time_zone=facts.time_zone,
        fiscal_year_start_month=facts.fiscal_year_start_month,
        fiscal_year_start_day=facts.fiscal_year_start_day,
        plan_code=plan.code,
        entitlements=plan.entitlements(),
        trial_ends_on=clock.today(facts.time_zone) + timedelta(days=plan.trial_days),
    )


@step
@transaction.atomic
def provision(*, sign_up_id: UUID, actor: Actor) -> Landing:
    """Provision a verified sign-up, once; asked again, answer what stands.

    :raises OrganizationInPreparation: no spare schema waits at this moment; ask again.
    :raises SubdomainTaken: somebody was quicker.
    """
    sign_up = SignUp.objects.locked(sign_up_id)
    if sign_up.state != SignUpState.READY:
        organization, admin_id = provision_organization(
            facts=SignUpFacts(
                name=sign_up.name,
                legal_name=sign_up.legal_name,
                subdomain=sign_up.subdomain,
                country=sign_up.country,
                tax_number=sign_up.tax_number,
                base_currency=sign_up.base_currency,
                time_zone=sign_up.time_zone,
                fiscal_year_start_month=sign_up.fiscal_year_start_month,
                fiscal_year_start_day=sign_up.fiscal_year_start_day,
            ),
            plan=plan_by_code(sign_up.plan_code),
            admin_email=sign_up.admin_email,
            admin_name=sign_up.admin_name,
            password_hash=sign_up.password_hash,
            organization_id=sign_up.organization_id,
            actor=actor,
            sign_up_id=sign_up.id,
        )
        sign_up.state = SignUpState.READY
        sign_up.ready_at = clock.now()
        sign_up.admin_user_id = admin_id
        sign_up.password_hash = ""
        sign_up.save()
    else:
        organization = Organization.objects.get(id=sign_up.organization_id)
    return Landing(
        organization=organization,
        address=base_address(host_of(sign_up.subdomain)),
        login_code=_login_code(sign_up, organization, actor=actor),
    )


def _login_code(sign_up: SignUp, organization: Organization, *, actor: Actor) -> str:
    assert sign_up.verified_at is not None
    assert sign_up.admin_user_id is not None
    if clock.now() - sign_up.verified_at > LANDING_LIFE:
        return ""
    with tenant_context(organization):
        return issue_login_code(user_id=sign_up.admin_user_id, actor=actor)


@step
def provision_for_visitor(*, sign_up_id: UUID, actor: Actor) -> Landing:
    """Provision as the system does, for a visitor whose link was taken.

    :raises OrganizationInPreparation: no spare schema waits at this moment; ask again.
    :raises SubdomainTaken: somebody was quicker.
    """
    acting = system_actor("sign-up", request_id=actor.request_id).changed(
        ip_address=actor.ip_address, user_agent=actor.user_agent
    )
    return provision(sign_up_id=sign_up_id, actor=acting)


@step
def resume_sign_ups(*, actor: Actor) -> int:
    """Provision what was verified and then interrupted; return how many now stand.

    One that cannot be provisioned does not keep the others from it.
    """
    held = HeldSubdomain.objects.filter(subdomain=OuterRef("subdomain"))
    waiting = list(
        # Whose subdomain was taken meanwhile waits for the visitor to choose another.
        SignUp.objects.filter(~Exists(held), state=SignUpState.VERIFIED)
        .order_by("verified_at")
        .values_list("id", flat=True)[:50]
    )
    done = 0
    for sign_up_id in waiting:
        try:
            retrying(partial(provision, sign_up_id=sign_up_id, actor=actor))
        except DomainError as error:
            logger.info("sign_up_waits", sign_up=str(sign_up_id), code=error.code)
        except DatabaseError:
            logger.exception("sign_up_failed", sign_up=str(sign_up_id))
        else:
            done += 1
    return done
