"""The first two steps: ask for an organization, prove the e-mail address."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from shared_apps.accounts.models import User
from shared_apps.accounts.passwords import require_strong
from shared_apps.audit import services as audit
from shared_apps.delivery.services import send_secret_mail
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import TooManyRequests
from shared_apps.kernel.ids import random_token, uuid7
from shared_apps.kernel.operations import step
from shared_apps.onboarding.errors import (
    SignUpLinkExpired,
    SignUpLinkRefused,
    SignUpPasswordWrong,
    SubdomainTaken,
)
from shared_apps.onboarding.events import SignUpRequested, SignUpVerified
from shared_apps.onboarding.models import HeldSubdomain, SignUp, SignUpState
from shared_apps.onboarding.subdomains import check_subdomain, skeleton
from shared_apps.plans.selectors import default_plan, plan_by_code
from tenants.context import tenant_context
from tenants.links import base_address
from tenants.models import Organization

LINK_LIFE = timedelta(hours=24)
# Sign-ups of one address that wait at once: each sent a mail.
LINKS_AN_HOUR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpFacts:
    """What the form tells of the organization; the admin's own facts stand beside it."""

    name: str
    legal_name: str
    subdomain: str
    country: str
    tax_number: str
    base_currency: str
    time_zone: str
    fiscal_year_start_month: int
    fiscal_year_start_day: int


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@step
@transaction.atomic
def request_sign_up(
    *,
    facts: SignUpFacts,
    admin_name: str,
    admin_email: str,
    password: str,
    plan_code: str = "",
    actor: Actor,
) -> SignUp:
    """Keep what a visitor asks for, and mail the link that proves the address.

    A visitor has no rights to require. Asked again with the same address, subdomain and password
    before it was verified, it is the same sign-up with the newest facts and a new link. With
    another password it is another sign-up: a stranger who knows both changes nothing of the first.

    :raises TooManyRequests: the address was sent many links lately.
    :raises SubdomainRefused: malformed or reserved.
    :raises SubdomainTaken: an organization holds it, or one that looks like it.
    :raises PasswordTooWeak: a validator refuses the password.
    :raises NoSuchPlan: the plan does not exist.
    """
    check_subdomain(facts.subdomain)
    require_free(subdomain=facts.subdomain)
    email = admin_email.strip().lower()
    require_strong(
        password=password, user=User(email=email, full_name=admin_name), field="password"
    )
    plan = plan_by_code(plan_code) if plan_code else default_plan()
    sign_up = _pending(email=email, subdomain=facts.subdomain, password=password) or SignUp(
        organization_id=uuid7(), admin_email=email
    )
    for name, value in asdict(facts).items():
        setattr(sign_up, name, value)
    token = random_token()
    sign_up.plan_code = plan.code
    sign_up.admin_name = admin_name
    sign_up.password_hash = make_password(password)
    sign_up.token_hash = _hash_of(token)
    sign_up.token_expires_at = clock.now() + LINK_LIFE
    sign_up.save()
    audit.record(SignUpRequested(subject_id=sign_up.id, subdomain=sign_up.subdomain), actor=actor)
    send_secret_mail(
        to=email,
        template="sign_up_verification",
        context={
            "name": admin_name,
            "organization": facts.name,
            "link": f"{base_address(settings.PUBLIC_HOST)}/signup/verification/?token={token}",
            "hours": int(LINK_LIFE.total_seconds() // 3600),
        },
    )
    return sign_up


def _pending(*, email: str, subdomain: str, password: str) -> SignUp | None:
    """The sign-up of the same visitor, who proves it by the password."""
    since = clock.now() - timedelta(hours=1)
    recent = list(
        SignUp.objects.for_change()
        .filter(admin_email=email, state=SignUpState.REQUESTED, updated_at__gt=since)
        .order_by("-created_at")[: LINKS_AN_HOUR + 1]
    )
    if len(recent) >= LINKS_AN_HOUR:
        raise TooManyRequests(
            "This address was sent several links already. Follow the newest, or ask in an hour.",
            retry_after=3600,
        )
    return next(
        (
            one
            for one in recent
            if one.subdomain == subdomain and check_password(password, one.password_hash)
        ),
        None,
    )


@step
def require_free(*, subdomain: str) -> None:
    """
    :raises SubdomainTaken: an organization holds it, or one that looks like it.
    """
    if HeldSubdomain.objects.filter(skeleton=skeleton(subdomain)).exists():
        raise SubdomainTaken.of(subdomain)


@step
@transaction.atomic
def verify_sign_up(*, token: str, password: str, subdomain: str = "", actor: Actor) -> SignUp:
    """Take the link's proof that the address is the visitor's. May be repeated.

    The password proves that whoever follows the link also filled in the form: nobody opens an
    organization with a stranger's password by following a link that a stranger asked for.

    :raises SignUpLinkRefused: no sign-up has this link.
    :raises SignUpPasswordWrong: it is not the password of the form.
    :raises SignUpLinkExpired: it was not followed in time.
    :raises SubdomainRefused: another subdomain was asked for, and it cannot be used.
    :raises SubdomainTaken: somebody was quicker; ask again with another `subdomain`.
    """
    sign_up = SignUp.objects.for_change().filter(token_hash=_hash_of(token)).first()
    if sign_up is None:
        raise SignUpLinkRefused("Follow the newest link that was mailed, or sign up again.")
    if not _knows_password(sign_up, password):
        raise SignUpPasswordWrong("Give the password that you chose when you signed up.")
    if sign_up.state == SignUpState.READY:
        return sign_up
    if sign_up.token_expires_at <= clock.now():
        raise SignUpLinkExpired("The link was not followed in time. Sign up again.")
    if subdomain and subdomain != sign_up.subdomain:
        check_subdomain(subdomain)
        sign_up.subdomain = subdomain
    require_free(subdomain=sign_up.subdomain)
    if sign_up.state == SignUpState.REQUESTED:
        sign_up.state = SignUpState.VERIFIED
        sign_up.verified_at = clock.now()
        audit.record(SignUpVerified(subject_id=sign_up.id), actor=actor)
    sign_up.save()
    return sign_up


def _knows_password(sign_up: SignUp, password: str) -> bool:
    if sign_up.state != SignUpState.READY:
        return bool(check_password(password, sign_up.password_hash))
    # The form's own hash was cleared when the admin was made.
    organization = Organization.objects.get(id=sign_up.organization_id)
    with tenant_context(organization):
        admin: User | None = User.objects.filter(pk=sign_up.admin_user_id).first()
        return admin is not None and bool(admin.check_password(password))
