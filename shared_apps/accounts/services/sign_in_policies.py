"""What the organization asks of people who come in, role by role.

Nobody can be locked out by a policy: whoever has an authenticator or no phone shows or enrols an
authenticator in the place of a code, and codes by SMS are asked for only where SMS can be sent.
"""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from shared_apps.accounts.errors import PolicyExists, SmsUnavailable
from shared_apps.accounts.events import SignInPolicyChanged
from shared_apps.accounts.models import Factor, SignInPolicy
from shared_apps.audit.services import record
from shared_apps.delivery import sms
from shared_apps.kernel.actor import Actor

PERMISSION = "accounts.change_signinpolicy"


@transaction.atomic
def add_sign_in_policy(*, actor: Actor, role: str, factor: str) -> SignInPolicy:
    """Ask something of everybody (an empty role), or of whoever holds the role.

    :raises PolicyExists: there is a policy for it.
    :raises SmsUnavailable: it asks for codes by SMS, and none can be sent.
    """
    actor.require(PERMISSION)
    _require_deliverable(factor)
    try:
        with transaction.atomic():
            policy = SignInPolicy.objects.create(
                role=role,
                factor=factor,
                created_by_id=actor.user_id,
                updated_by_id=actor.user_id,
            )
    except IntegrityError:
        raise PolicyExists from None
    _record(policy, former="", factor=factor, actor=actor)
    return policy


@transaction.atomic
def change_sign_in_policy(
    *, actor: Actor, policy_id: UUID, factor: str | None = None
) -> SignInPolicy:
    """Ask something else from the next sign-in on; None leaves it.

    :raises NotFound: there is no such policy.
    :raises SmsUnavailable: it asks for codes by SMS, and none can be sent.
    """
    actor.require(PERMISSION)
    policy: SignInPolicy = SignInPolicy.objects.locked(policy_id)
    former = policy.factor
    if factor is not None and factor != former:
        _require_deliverable(factor)
        policy.factor, policy.updated_by_id = factor, actor.user_id
        policy.save(update_fields=["factor", "updated_at", "updated_by_id"])
        _record(policy, former=former, factor=factor, actor=actor)
    return policy


@transaction.atomic
def remove_sign_in_policy(*, actor: Actor, policy_id: UUID) -> None:
    """Ask nothing more of it; what other policies ask stays.

    :raises NotFound: there is no such policy.
    """
    actor.require(PERMISSION)
    policy: SignInPolicy = SignInPolicy.objects.locked(policy_id)
    _record(policy, former=policy.factor, factor="", actor=actor)
    policy.delete()


def _require_deliverable(factor: str) -> None:
    if factor == Factor.SMS_CODE and not sms.can_be_sent():
        raise SmsUnavailable


def _record(policy: SignInPolicy, *, former: str, factor: str, actor: Actor) -> None:
    record(
        SignInPolicyChanged(
            subject_id=policy.pk, role=policy.role, former_factor=former, factor=factor
        ),
        actor=actor,
    )
