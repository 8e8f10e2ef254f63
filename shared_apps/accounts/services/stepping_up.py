"""Showing a proof again before something sensitive, and how long it counts."""

from __future__ import annotations

from django.db import transaction

from shared_apps.accounts import step_up as freshness
from shared_apps.accounts.errors import StepUpProofRefused
from shared_apps.accounts.events import SecuritySettingsChanged, SteppedUp
from shared_apps.accounts.models import SecuritySettings, Session
from shared_apps.accounts.services.credentials import require_present_password
from shared_apps.accounts.services.second_factors import verify_second_factor
from shared_apps.audit.services import record
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import FieldError
from shared_apps.kernel.operations import step

SETTINGS = frozenset(
    {"step_up_minutes", "step_up_for_money", "session_idle_minutes", "session_days"}
)


@step
def step_up(
    *, session: Session, actor: Actor, code: str | None = None, password: str | None = None
) -> Session:
    """Show the second factor once more, or the password where there is none.

    :raises StepUpProofRefused: the other of the two is asked for.
    :raises SecondFactorWrong: the code is not right, or was used before.
    :raises PasswordWrong: the password is not the present one.
    :raises TooManyAttempts: it was guessed at too often.
    """
    proof = freshness.proof_of(session)
    if proof is freshness.Proof.PASSWORD:
        if password is None or code is not None:
            raise _asked_for("password")
        require_present_password(password=password, field="password", actor=actor)
        now = clock.now()
        values = {"password_at": now, "updated_at": now}
    else:
        if code is None or password is not None:
            raise _asked_for("code")
        verify_second_factor(code=code, actor=actor)
        values = {}
    with transaction.atomic():
        own = Session.objects.filter(pk=session.pk, user_id=session.user_id)
        if values:
            own.filter(revoked_at__isnull=True).update(**values)
        record(
            SteppedUp(subject_id=session.pk, user_id=session.user_id, proof=str(proof)),
            actor=actor,
        )
        shown: Session = own.select_related("user").get()
    return shown


@transaction.atomic
def change_security_settings(*, actor: Actor, **values: int) -> SecuritySettings:
    """Say how careful the organization is: any of `SETTINGS`, within the bounds of the table.

    It counts at once; how long sessions live, from their next refresh on.
    """
    actor.require("accounts.change_signinpolicy")
    SecuritySettings.objects.bulk_create([SecuritySettings()], ignore_conflicts=True)
    kept: SecuritySettings = SecuritySettings.objects.for_change().get()
    before = _values(kept)
    for name in SETTINGS & values.keys():
        setattr(kept, name, values[name])
    if _values(kept) == before:
        return kept
    kept.updated_by_id = actor.user_id
    kept.save()
    record(
        SecuritySettingsChanged(
            subject_id=kept.pk,
            step_up_minutes=kept.step_up_minutes,
            step_up_for_money=kept.step_up_for_money,
            session_idle_minutes=kept.session_idle_minutes,
            session_days=kept.session_days,
        ),
        actor=actor,
    )
    return kept


def _values(settings: SecuritySettings) -> list[int]:
    return [getattr(settings, name) for name in sorted(SETTINGS)]


def _asked_for(field: str) -> StepUpProofRefused:
    return StepUpProofRefused(
        errors=[FieldError.at(field, code="required", detail="This is what is asked for.")]
    )
