"""What happened to people and their sessions: ids and values, never addresses or secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEvent(Event):
    """Its subject is a person."""

    app: ClassVar[str] = "accounts"
    subject_type: ClassVar[str] = "accounts.user"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperAdminCreated(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInvited(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationWithdrawn(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationAccepted(UserEvent):
    invitation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDeactivated(UserEvent):
    sessions_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UserReactivated(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanged(UserEvent):
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(UserEvent):
    sessions_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset(UserEvent):
    sessions_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetRequested(UserEvent):
    """Also for addresses that nobody has, whose subject's id is derived from the address."""

    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInFailed(UserEvent):
    """Address and password did not fit. For an unknown address the subject's id is derived
    from it: entries of one address belong together and still do not name it.
    """

    reason: str
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginCodeIssued(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPolicyChanged(Event):
    """An empty role is the whole organization; an empty factor is no policy."""

    app: ClassVar[str] = "accounts"
    subject_type: ClassVar[str] = "accounts.signinpolicy"

    role: str
    former_factor: str
    factor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySettingsChanged(Event):
    app: ClassVar[str] = "accounts"
    subject_type: ClassVar[str] = "accounts.securitysettings"

    step_up_minutes: int
    step_up_for_money: bool
    session_idle_minutes: int
    session_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInCodeSent(UserEvent):
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorEnrolled(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorFailed(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorReset(UserEvent):
    sessions_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeUsed(UserEvent):
    codes_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodesReplaced(UserEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent(Event):
    """Its subject is a session."""

    app: ClassVar[str] = "accounts"
    subject_type: ClassVar[str] = "accounts.session"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(SessionEvent):
    method: str
    is_new_device: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(SessionEvent):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNamed(SessionEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReuseDetected(SessionEvent):
    """A spent refresh token came back: somebody else may hold a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorVerified(SessionEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedUp(SessionEvent):
    """A fresh proof was shown before something sensitive."""

    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyEvent(Event):
    """Its subject is an API key."""

    app: ClassVar[str] = "accounts"
    subject_type: ClassVar[str] = "accounts.apikey"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyIssued(ApiKeyEvent):
    permissions: tuple[str, ...]
    networks: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRotated(ApiKeyEvent):
    """The former key ends then; its successor has the former's permissions and networks."""

    successor_id: UUID
    former_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(ApiKeyEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyAddressDenied(ApiKeyEvent):
    """Somebody holds the key and is not where it may be used. Once in a while for each place."""
