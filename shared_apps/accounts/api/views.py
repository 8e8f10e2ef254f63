"""Signing in and out, one's own account, and its second factor."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.accounts import second_factor, selectors, services, step_up
from shared_apps.accounts.actors import oneself, session_of, visitor
from shared_apps.accounts.api import serializers as shapes
from shared_apps.accounts.models import Session
from shared_apps.audit.history import set_history_actor
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.api.views import DomainView, DomainViewMixin, DomainViewSet, Listing


class VisitorView(DomainView):
    """For whoever has not signed in. Tokens that come along are not looked at."""

    authentication_classes: Any = ()
    permission_classes: Any = (AllowAny,)

    @property
    def actor(self) -> Actor:
        return visitor(self.request)


class OwnAccountMixin(DomainViewMixin):
    """For a person's own account. Where `settled_only`, the second factor must be settled."""

    permission_classes: Any = (IsAuthenticated,)
    settled_only = True
    # Operations that ask for a fresh proof.
    step_up: ClassVar[frozenset[str]] = frozenset()

    @property
    def actor(self) -> Actor:
        return oneself(self.request)

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)  # type: ignore[misc]
        if self.settled_only:
            second_factor.require_settled(session_of(request))
        if self.operation in self.step_up:
            step_up.require_fresh(session_of(request))
        set_history_actor(self.actor)


class OwnAccountView(OwnAccountMixin, DomainView):
    """The base of views with one address."""


class SignInView(VisitorView):
    serializer_class = shapes.SignInOut
    input_serializers = {"post": shapes.SignInIn}
    success_statuses = {"post": 200}

    def post(self, request: Request) -> Response:
        """Sign in with e-mail and password."""
        return self.answer(services.sign_in(actor=self.actor, **self.read_input()))


class RefreshView(VisitorView):
    serializer_class = shapes.TokensOut
    input_serializers = {"post": shapes.RefreshIn}
    success_statuses = {"post": 200}

    def post(self, request: Request) -> Response:
        """Exchange a refresh token for the next pair."""
        token = self.read_input()["refresh"]
        return self.answer(services.refresh_session(refresh_token=token, actor=self.actor).tokens)


class BlacklistView(VisitorView):
    input_serializers = {"post": shapes.RefreshIn}
    success_statuses = {"post": 204}

    def post(self, request: Request) -> Response:
        """End the session that a refresh token belongs to."""
        services.sign_out(refresh_token=self.read_input()["refresh"], actor=self.actor)
        return self.answer()


class LogoutView(OwnAccountView):
    serializer_class = shapes.DetailOut
    success_statuses = {"post": 200}
    settled_only = False

    def post(self, request: Request) -> Response:
        """End the present session."""
        services.end_session(session_id=request.auth.pk, actor=self.actor)
        return self.answer({"detail": "Signed out."})


class AccountView(OwnAccountView):
    serializer_class = shapes.AccountOut

    def get(self, request: Request) -> Response:
        """Who is signed in."""
        return self.answer(request.user)


class ProfileView(OwnAccountView):
    serializer_class = shapes.ProfileOut
    input_serializers = {"patch": shapes.ProfileIn}

    def get(self, request: Request) -> Response:
        """One's own profile."""
        return self.answer(request.user)

    def patch(self, request: Request) -> Response:
        """Change one's own profile."""
        changes = self.read_input()
        if "phone" in changes:
            # Codes are sent there.
            step_up.require_fresh(session_of(request))
        return self.answer(services.update_profile(changes=changes, actor=self.actor))


class PasswordChangeView(OwnAccountView):
    serializer_class = shapes.DetailOut
    input_serializers = {"post": shapes.PasswordChangeIn}
    success_statuses = {"post": 200}

    def post(self, request: Request) -> Response:
        """Change one's own password; all other sessions end."""
        given = self.read_input()
        services.change_password(
            old_password=given["old_password"],
            new_password=given["new_password1"],
            actor=self.actor,
        )
        return self.answer({"detail": "The password was changed."})


class PasswordResetView(VisitorView):
    serializer_class = shapes.DetailOut
    input_serializers = {"post": shapes.PasswordResetIn}
    success_statuses = {"post": 200}

    def post(self, request: Request) -> Response:
        """Ask for a link to choose a new password. The answer is the same for every address."""
        services.request_password_reset(email=self.read_input()["email"], actor=self.actor)
        return self.answer({"detail": "If somebody has this address, a link is on its way."})


class PasswordResetConfirmView(VisitorView):
    serializer_class = shapes.DetailOut
    input_serializers = {"post": shapes.PasswordResetConfirmIn}
    success_statuses = {"post": 200}

    def post(self, request: Request) -> Response:
        """Choose a new password by the link that was mailed; all sessions end."""
        given = self.read_input()
        services.reset_password(
            token=given["token"], new_password=given["new_password1"], actor=self.actor
        )
        return self.answer({"detail": "The password was changed. Sign in with it."})


class InvitationAcceptanceView(VisitorView):
    serializer_class = shapes.SignInOut
    input_serializers = {"post": shapes.InvitationAcceptanceIn}

    def post(self, request: Request) -> Response:
        """Come in by an invitation."""
        given = self.read_input()
        return self.answer(
            services.accept_invitation(
                token=given["token"],
                password=given["password"],
                full_name=given.get("full_name"),
                actor=self.actor,
            )
        )


class LoginCodeRedemptionView(VisitorView):
    serializer_class = shapes.SignInOut
    input_serializers = {"post": shapes.LoginCodeIn}

    def post(self, request: Request) -> Response:
        """Sign in with the code one was sent on with after signing up."""
        return self.answer(services.redeem_login_code(actor=self.actor, **self.read_input()))


class SessionViewSet(Listing, OwnAccountMixin, DomainViewSet):
    """Where one is signed in."""

    serializer_class = shapes.SessionOut
    input_serializers = {"partial_update": shapes.SessionIn}
    success_statuses = {"end_others": 204}

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Session.objects.none()
        return selectors.live_sessions_of(user_id=self.request.user.pk)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Say what one of one's own devices is called."""
        name = self.read_input().get("name")
        if name is None:
            return self.answer(self.get_object())
        return self.answer(services.name_session(session_id=pk, name=name, actor=self.actor))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """End one of one's own sessions."""
        services.end_session(session_id=pk, actor=self.actor)
        return self.answer()

    @extend_schema(operation_id="sessions_end_others")
    def end_others(self, request: Request) -> Response:
        """End all of one's own sessions but this one."""
        services.end_other_sessions(actor=self.actor)
        return self.answer()


class SecondFactorView(OwnAccountView):
    serializer_class = shapes.SecondFactorOut
    settled_only = False

    def get(self, request: Request) -> Response:
        """Whether one has a second factor, and what this session still has to show."""
        return self.answer(selectors.second_factor_of(session=session_of(request)))


class SecondFactorEnrolmentView(OwnAccountView):
    serializer_class = shapes.TotpEnrolmentOut
    input_serializers = {"post": shapes.PasswordIn}
    settled_only = False

    def post(self, request: Request) -> Response:
        """Begin to enrol an authenticator. It counts after its first code is confirmed."""
        return self.answer(services.begin_totp_enrolment(actor=self.actor, **self.read_input()))


class SecondFactorConfirmationView(OwnAccountView):
    serializer_class = shapes.RecoveryCodesOut
    input_serializers = {"post": shapes.TotpCodeIn}
    settled_only = False

    def post(self, request: Request) -> Response:
        """Confirm the authenticator by a code. The recovery codes are shown this once."""
        codes = services.confirm_totp_enrolment(actor=self.actor, **self.read_input())
        return self.answer({"recovery_codes": codes})


class SignInCodeView(OwnAccountView):
    input_serializers = {"post": shapes.CodeRequestIn}
    success_statuses = {"post": 204}
    settled_only = False

    def post(self, request: Request) -> Response:
        """Have a code sent by e-mail or SMS, where the sign-in policy asks for one."""
        services.send_sign_in_code(actor=self.actor, **self.read_input())
        return self.answer()


class SecondFactorVerificationView(OwnAccountView):
    input_serializers = {"post": shapes.SecondFactorCodeIn}
    success_statuses = {"post": 204}
    settled_only = False

    def post(self, request: Request) -> Response:
        """Show the second factor in this session."""
        services.verify_second_factor(actor=self.actor, **self.read_input())
        return self.answer()


class RecoveryCodesView(OwnAccountView):
    serializer_class = shapes.RecoveryCodesOut
    input_serializers = {"post": shapes.PasswordIn}
    step_up = frozenset({"post"})

    def post(self, request: Request) -> Response:
        """Replace the recovery codes. The new ones are shown this once."""
        codes = services.replace_recovery_codes(actor=self.actor, **self.read_input())
        return self.answer({"recovery_codes": codes})


class SecondFactorRemovalView(OwnAccountView):
    step_up = frozenset({"post"})
    input_serializers = {"post": shapes.PasswordIn}
    success_statuses = {"post": 204}

    def post(self, request: Request) -> Response:
        """Give up one's own second factor, where no role demands it."""
        services.give_up_second_factor(actor=self.actor, **self.read_input())
        return self.answer()


class StepUpView(OwnAccountView):
    serializer_class = shapes.StepUpOut
    input_serializers = {"post": shapes.StepUpIn}
    success_statuses = {"post": 200}

    def get(self, request: Request) -> Response:
        """Which proof sensitive acts ask for, and until when the last one counts."""
        return self.answer(selectors.stepping_up_of(session=session_of(request)))

    def post(self, request: Request) -> Response:
        """Show the second factor once more, or the password where there is none."""
        session = services.step_up(
            session=session_of(request), actor=self.actor, **self.read_input()
        )
        return self.answer(selectors.stepping_up_of(session=session))
