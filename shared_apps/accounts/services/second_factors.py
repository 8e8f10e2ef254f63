"""The second factor: a TOTP device of django-otp, and recovery codes.

Every check holds the device's row, so that two requests cannot both use one code. Wrong codes are
counted on the device by django-otp, which makes each next try wait twice as long. django-otp's own
static tokens lie in the database as they are; ours are kept as hashes, which is why they are ours.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django_otp.plugins.otp_totp.models import TOTPDevice

from shared_apps.accounts import links, second_factor
from shared_apps.accounts.errors import (
    AlreadyEnrolled,
    EnrolmentNotBegun,
    NotEnrolled,
    SecondFactorDemanded,
    SecondFactorRequired,
    SecondFactorWrong,
    TooManyAttempts,
)
from shared_apps.accounts.events import (
    RecoveryCodesReplaced,
    RecoveryCodeUsed,
    SecondFactorEnrolled,
    SecondFactorFailed,
    SecondFactorReset,
    SecondFactorVerified,
)
from shared_apps.accounts.models import RecoveryCode, Session, User
from shared_apps.accounts.services import sign_in_codes
from shared_apps.accounts.services.credentials import require_present_password
from shared_apps.accounts.services.endings import end_all_sessions
from shared_apps.accounts.services.locks import locked_user, require_person
from shared_apps.audit.services import record
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import FieldError
from shared_apps.kernel.operations import step
from tenants.context import tenant_marker

RECOVERY_CODES = 10
LONGEST_CODE = 64
_RECOVERY_BITS = 80
_LONGEST_WAIT = 86_400
_SIX_DIGITS = re.compile(r"[0-9]{6}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpEnrolment:
    """What an authenticator needs to know. Shown once.

    `secret` is base32; `address` is the otpauth URI that a QR code carries.
    """

    secret: str
    address: str


@step
def begin_totp_enrolment(*, password: str, actor: Actor) -> TotpEnrolment:
    """Make a device that counts only after its first code has been confirmed.

    Whoever finds an open session must not be able to lock its owner out with a phone of theirs.

    :raises AlreadyEnrolled: the person has a second factor already.
    :raises SecondFactorRequired: the session has still to show a code by e-mail or SMS.
    :raises PasswordWrong: the password is not the present one.
    :raises TooManyAttempts: it was guessed at too often.
    """
    require_present_password(password=password, field="password", actor=actor)
    if sign_in_codes.is_still_asked_of(actor=actor):
        # With the password alone, an authenticator of their own would take the code's place.
        raise SecondFactorRequired
    with transaction.atomic():
        return _begin(require_person(actor=actor))


def _begin(user: User) -> TotpEnrolment:
    if user.second_factor_enrolled_at is not None:
        raise AlreadyEnrolled
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()
    device = TOTPDevice.objects.create(user=user, name="authenticator", confirmed=False)
    return _enrolment(device)


def _enrolment(device: TOTPDevice) -> TotpEnrolment:
    secret = b32encode(device.bin_key).decode().rstrip("=")
    return TotpEnrolment(secret=secret, address=_with_issuer(device.config_url))


def _with_issuer(address: str) -> str:
    if "issuer=" in address:
        return address
    issuer = re.sub(r"[^A-Za-z0-9]+", "-", links.name_of_place()).strip("-") or "Kontor"
    return f"{address}&issuer={issuer}"


@step
def confirm_totp_enrolment(*, code: str, actor: Actor) -> list[str]:
    """Prove that the authenticator works. Returns the recovery codes, which are shown once.

    The present session counts as verified from here.

    :raises EnrolmentNotBegun: there is no device to confirm.
    :raises AlreadyEnrolled: the person has a second factor already.
    :raises SecondFactorWrong: the code is not right.
    :raises TooManyAttempts: too many wrong codes; `retry_after` says how long to wait.
    """
    with transaction.atomic():
        user = require_person(actor=actor)
        if user.second_factor_enrolled_at is not None:
            raise AlreadyEnrolled
        device = _locked_device(user, confirmed=False)
        if device is None:
            raise EnrolmentNotBegun
        is_right = _try_totp(device, code)
        # A wrong code must be counted, so the refusal is raised after the commit.
        codes = _enrol(user, device=device, actor=actor) if is_right else []
    if not codes:
        raise _wrong()
    return codes


def _enrol(user: User, *, device: TOTPDevice, actor: Actor) -> list[str]:
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    user.second_factor_enrolled_at = clock.now()
    user.save(update_fields=["second_factor_enrolled_at", "updated_at"])
    codes = _new_recovery_codes(user)
    record(SecondFactorEnrolled(subject_id=user.id), actor=actor)
    # A code by message, which other sessions showed, is weaker than what is asked from now on.
    by_message = Session.objects.filter(user=user, demanded_factor__in=second_factor.CHANNELS)
    others = by_message.exclude(pk__in=[actor.session_id])
    others.update(second_factor_at=None, updated_at=clock.now())
    _settle(actor)
    return codes


@step
def verify_second_factor(*, code: str, actor: Actor) -> None:
    """Show the second factor in the present session: a TOTP code, a recovery code, or the code
    that was sent by e-mail or SMS.

    :raises NotEnrolled: the person has no second factor.
    :raises SecondFactorWrong: the code is not right, or was used before.
    :raises TooManyAttempts: too many wrong codes; `retry_after` says how long to wait.
    """
    by_message = sign_in_codes.is_asked_of(actor=actor)
    if by_message:
        sign_in_codes.count_tries(actor=actor)
    with transaction.atomic():
        if by_message:
            is_right = sign_in_codes.try_sign_in_code(code=code, actor=actor)
        else:
            user = require_person(actor=actor)
            is_right = verify_code(user=user, code=code, actor=actor)
        if is_right:
            _settle(actor)
    if not is_right:
        raise _wrong()


@step
def verify_code(*, user: User, code: str, actor: Actor) -> bool:
    """Whether the code is right; it is used up if it is, and counted if it is not.

    The caller's transaction, which it needs, must commit either way, or wrong codes cost nothing.

    :raises NotEnrolled: the person has no second factor.
    :raises TooManyAttempts: too many wrong codes; `retry_after` says how long to wait.
    """
    device = _locked_device(user, confirmed=True)
    if device is None or user.second_factor_enrolled_at is None:
        raise NotEnrolled
    if _SIX_DIGITS.fullmatch(code):
        is_right = _try_totp(device, code)
    else:
        is_right = _try_recovery(user, device=device, code=code, actor=actor)
    if not is_right:
        record(SecondFactorFailed(subject_id=user.id), actor=actor)
    return is_right


@step
def try_nothing(*, code: str, has_looked: bool) -> None:
    """What trying a code costs, for nobody: the same statements, which find no row.

    `has_looked` where a device was looked for already.
    """
    nobody = User(pk=UUID(int=0))
    if not has_looked:
        _locked_device(nobody, confirmed=True)
    if not _SIX_DIGITS.fullmatch(code):
        _unused_recovery(nobody, code).update(used_at=clock.now())
    TOTPDevice.objects.filter(user=nobody).update(
        throttling_failure_count=F("throttling_failure_count") + 1
    )


def _unused_recovery(user: User, code: str) -> QuerySet[RecoveryCode]:
    unused: QuerySet[RecoveryCode] = RecoveryCode.objects.filter(
        user=user, used_at__isnull=True, code_hash=_recovery_hash(user, code)
    )
    return unused


def _locked_device(user: User, *, confirmed: bool) -> TOTPDevice | None:
    devices = TOTPDevice.objects.filter(user=user, confirmed=confirmed).order_by("pk")
    device: TOTPDevice | None = devices.select_for_update().first()
    if device is not None:
        _refuse_while_waiting(device)
    return device


def _refuse_while_waiting(device: TOTPDevice) -> None:
    is_allowed, why = device.verify_is_allowed()
    if is_allowed:
        return
    failures = (why or {}).get("failure_count", _LONGEST_WAIT.bit_length())
    # django-otp doubles the wait with each failure; from the last one on, this is enough.
    raise TooManyAttempts(retry_after=min(2 ** (failures - 1), _LONGEST_WAIT))


def _try_totp(device: TOTPDevice, code: str) -> bool:
    if not _SIX_DIGITS.fullmatch(code):
        device.throttle_increment()
        return False
    return bool(device.verify_token(code))


def _try_recovery(user: User, *, device: TOTPDevice, code: str, actor: Actor) -> bool:
    now = clock.now()
    used = _unused_recovery(user, code).update(used_at=now, updated_at=now)
    if used != 1:
        device.throttle_increment()
        return False
    device.throttle_reset()
    left = RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()
    record(RecoveryCodeUsed(subject_id=user.id, codes_left=left), actor=actor)
    return True


def _settle(actor: Actor) -> None:
    if actor.session_id is None or actor.user_id is None:
        return
    now = clock.now()
    settled = Session.objects.filter(
        pk=actor.session_id, user_id=actor.user_id, revoked_at__isnull=True
    ).update(second_factor_at=now, updated_at=now)
    if settled:
        record(
            SecondFactorVerified(subject_id=actor.session_id, user_id=actor.user_id), actor=actor
        )


@step
def replace_recovery_codes(*, password: str, actor: Actor) -> list[str]:
    """New recovery codes, shown once; the old ones stop working.

    :raises NotEnrolled: the person has no second factor.
    :raises PasswordWrong: the password is not the present one.
    :raises TooManyAttempts: it was guessed at too often.
    """
    require_present_password(password=password, field="password", actor=actor)
    with transaction.atomic():
        user = require_person(actor=actor)
        if user.second_factor_enrolled_at is None:
            raise NotEnrolled
        codes = _new_recovery_codes(user)
        record(RecoveryCodesReplaced(subject_id=user.id), actor=actor)
    return codes


@step
def give_up_second_factor(*, password: str, actor: Actor) -> None:
    """Remove the actor's own second factor, to enrol another or none.

    :raises NotEnrolled: there is none.
    :raises SecondFactorDemanded: the actor's role demands one; another admin can reset it.
    :raises PasswordWrong: the password is not the present one.
    :raises TooManyAttempts: it was guessed at too often.
    """
    require_present_password(password=password, field="password", actor=actor)
    with transaction.atomic():
        user = require_person(actor=actor)
        if user.second_factor_enrolled_at is None:
            raise NotEnrolled
        if second_factor.is_demanded_of(user):
            raise SecondFactorDemanded
        _remove(user, actor=actor, except_session_id=actor.session_id)


@step
@transaction.atomic
def reset_second_factor(*, user_id: UUID, actor: Actor) -> None:
    """Remove somebody's second factor (the phone is lost); all their sessions end.

    :raises UserUnknown: there is no such person.
    :raises NotEnrolled: the person has no second factor.
    """
    actor.require("accounts.reset_second_factor")
    user = locked_user(user_id=user_id)
    if user.second_factor_enrolled_at is None:
        raise NotEnrolled
    _remove(user, actor=actor, except_session_id=None)


def _remove(user: User, *, actor: Actor, except_session_id: UUID | None) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    user.second_factor_enrolled_at = None
    user.updated_by_id = actor.user_id
    user.save(update_fields=["second_factor_enrolled_at", "updated_at", "updated_by_id"])
    ended = end_all_sessions(
        user_id=user.id,
        reason=Session.EndReason.SECOND_FACTOR_RESET,
        actor=actor,
        except_session_id=except_session_id,
    )
    record(SecondFactorReset(subject_id=user.id, sessions_ended=ended), actor=actor)


@step
@transaction.atomic
def enrol_at_once(*, user_id: UUID, actor: Actor) -> tuple[TotpEnrolment, list[str]]:
    """For commands that print what they make: a confirmed device and recovery codes.

    :raises UserUnknown: there is no such person.
    :raises AlreadyEnrolled: the person has a second factor already.
    """
    user = locked_user(user_id=user_id)
    enrolment = _begin(user)
    device = TOTPDevice.objects.get(user=user, confirmed=False)
    themselves = actor.changed(session_id=None)
    return enrolment, _enrol(user, device=device, actor=themselves)


def _new_recovery_codes(user: User) -> list[str]:
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=_recovery_hash(user, code)) for code in codes
    )
    return codes


def _recovery_code() -> str:
    text = b32encode(secrets.token_bytes(_RECOVERY_BITS // 8)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _recovery_hash(user: User, code: str) -> str:
    # 80 random bits cannot be guessed: neither a slow hash nor a key would protect more, and a key
    # would make all codes worthless on the day it is changed.
    plain = re.sub(r"[\s-]", "", code).lower()
    text = f"recovery|{tenant_marker()}|{user.pk}|{plain}"
    return hashlib.sha256(text.encode()).hexdigest()


def _wrong() -> SecondFactorWrong:
    return SecondFactorWrong(
        errors=[FieldError.at("code", code="wrong", detail="It is wrong or was used before.")]
    )
