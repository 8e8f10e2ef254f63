"""What may go wrong when people come in, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NotAuthenticated,
    NotFound,
    TooManyRequests,
)


class CredentialsRefused(NotAuthenticated):
    """The one answer to a wrong address, a wrong password and a closed account alike."""

    code = "credentials_refused"
    title = "E-mail or password is wrong."


class TokenRefused(NotAuthenticated):
    """The access token is forged, malformed, of another kind or of another organization."""

    code = "token_invalid"
    title = "The access token is not valid."


class TokenExpired(NotAuthenticated):
    code = "token_expired"
    title = "The access token has expired."


class SessionOver(NotAuthenticated):
    """The token is good and its session has ended: signed out, revoked, or person deactivated."""

    code = "session_ended"
    title = "The session has ended."


class RefreshRefused(NotAuthenticated):
    """The refresh token is forged, expired, spent or foreign, or its session has ended."""

    code = "refresh_refused"
    title = "Sign in again."


class SecretRefused(BadInput):
    """A link or code that is forged, expired, used, withdrawn or of another organization."""

    code = "secret_refused"
    title = "This link or code is not valid any more."


class PasswordWrong(BadInput):
    code = "password_wrong"
    title = "The present password is wrong."


class PasswordTooWeak(BadInput):
    code = "password_too_weak"
    title = "The new password is too weak."


class OnlyOnPlatform(Conflict):
    code = "only_on_platform"
    title = "Super-admins belong to the platform, not to an organization."


class EmailMalformed(BadInput):
    code = "email_malformed"
    title = "This is no e-mail address."


class EmailTaken(Conflict):
    code = "email_taken"
    title = "Somebody already has this e-mail address."


class AlreadyActivated(Conflict):
    code = "user_already_activated"
    title = "This person has already come in."


class AlreadyDeactivated(Conflict):
    code = "user_already_deactivated"
    title = "This person is already deactivated."


class NotDeactivated(Conflict):
    code = "user_not_deactivated"
    title = "This person is not deactivated."


class CannotDeactivateSelf(Conflict):
    code = "cannot_deactivate_self"
    title = "Nobody can deactivate themselves."


class UserUnknown(NotFound):
    code = "user_unknown"
    title = "There is no such person."


class SessionUnknown(NotFound):
    code = "session_unknown"
    title = "There is no such session."


class AlreadyEnrolled(Conflict):
    code = "second_factor_already_enrolled"
    title = "A second factor is already enrolled."


class NotEnrolled(Conflict):
    code = "second_factor_not_enrolled"
    title = "No second factor is enrolled."


class EnrolmentNotBegun(Conflict):
    code = "second_factor_enrolment_not_begun"
    title = "Begin the enrolment first."


class SecondFactorWrong(BadInput):
    code = "second_factor_wrong"
    title = "The code is wrong or was used before."


class SecondFactorDemanded(Conflict):
    """Somebody whose role demands a second factor wants to give it up."""

    code = "second_factor_demanded"
    title = "Your role demands a second factor."


class SecondFactorRequired(Forbidden):
    """The session may only verify its second factor."""

    code = "second_factor_required"
    title = "Verify the second factor first."


class SecondFactorEnrolmentRequired(Forbidden):
    """The session may only enrol a second factor."""

    code = "second_factor_enrolment_required"
    title = "Enrol a second factor first."


class NoCodeAsked(Conflict):
    """The session's second factor is none that a code by e-mail or SMS would show."""

    code = "no_code_asked"
    title = "This session is not asked for a code by e-mail or SMS."


class ChannelRefused(Conflict):
    """The policy does not allow the channel, or the person cannot be reached by it."""

    code = "channel_refused"
    title = "The code cannot be sent this way."


class SmsUnavailable(Conflict):
    code = "sms_unavailable"
    title = "Short messages cannot be sent here."
    advice = "Ask for codes by e-mail or for an authenticator, or have a provider of SMS set up."


class PolicyExists(Conflict):
    code = "sign_in_policy_exists"
    title = "There is a sign-in policy for this role already."
    advice = "Change that one."


class TooManyAttempts(TooManyRequests):
    code = "too_many_attempts"
    title = "Too many attempts."


class ApiKeyRefused(NotAuthenticated):
    """The key is unknown, revoked, expired, of another organization, or its owner is out."""

    code = "api_key_refused"
    title = "The API key is not valid."
    advice = "Look at the key's prefix in the list of API keys, and issue or rotate one."


class ApiKeyAddressRefused(Forbidden):
    """The key is good, and is used from an address outside of its networks."""

    code = "api_key_address_refused"
    title = "The API key may not be used from this address."


class NotForApiKeys(Forbidden):
    """What only a person does: the own account, second factor, people, roles, and keys."""

    code = "not_for_api_keys"
    title = "This is done by a person who is signed in, not by an API key."


class ApiKeyUnknown(NotFound):
    code = "api_key_unknown"
    title = "There is no such API key."


class ApiKeyEnded(Conflict):
    """It was revoked or has expired, so there is nothing to rotate or to revoke."""

    code = "api_key_ended"
    title = "The API key has ended."


class ApiKeyNotOwn(Forbidden):
    """A new key would show its owner's rights to somebody else."""

    code = "api_key_not_own"
    title = "Only its owner rotates an API key."
    advice = "Revoke it, and let its owner issue another."


class ApiKeyPermissionRefused(Forbidden):
    """A permission that the owner does not hold, or that no key can carry."""

    code = "api_key_permission_refused"
    title = "The API key cannot have this permission."


class ApiKeyTermRefused(BadInput):
    code = "api_key_term_refused"
    title = "An API key cannot end then."


class StepUpRequired(Forbidden):
    """What is sensitive asks for a proof a few minutes old at most.

    `step_up` in the problem says where to send it, and which: a `code` or the `password`.
    """

    code = "step_up_required"
    title = "Show your second factor again."
    advice = (
        "POST what step_up.proof names (a code, or the password) to /api/v1/step-up/, and repeat"
        " the request."
    )


class StepUpProofRefused(BadInput):
    """A password where a code is asked for, or the other way round."""

    code = "step_up_proof_refused"
    title = "Another proof is asked for."


class TooManyApiKeys(Conflict):
    code = "too_many_api_keys"
    title = "So many API keys are enough for one person."
    advice = "Revoke those that are no longer used."
