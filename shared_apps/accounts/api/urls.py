"""Addresses on an organization's host. The platform's console signs in by pages of its own."""

from django.urls import path

from shared_apps.accounts.api import views

urlpatterns = [
    path("api/token/", views.SignInView.as_view(), name="token"),
    path("api/token/refresh/", views.RefreshView.as_view(), name="token-refresh"),
    path("api/token/blacklist/", views.BlacklistView.as_view(), name="token-blacklist"),
    path("api/auth/login/", views.SignInView.as_view(), name="auth-login"),
    path("api/auth/logout/", views.LogoutView.as_view(), name="auth-logout"),
    path("api/auth/user/", views.AccountView.as_view(), name="auth-user"),
    path(
        "api/auth/password/change/",
        views.PasswordChangeView.as_view(),
        name="auth-password-change",
    ),
    path(
        "api/auth/password/reset/",
        views.PasswordResetView.as_view(),
        name="auth-password-reset",
    ),
    path(
        "api/auth/password/reset/confirm/",
        views.PasswordResetConfirmView.as_view(),
        name="auth-password-reset-confirm",
    ),
    path("api/v1/profile/", views.ProfileView.as_view(), name="profile"),
    path(
        "api/v1/sessions/",
        views.SessionViewSet.as_view({"get": "list", "delete": "end_others"}),
        name="sessions",
    ),
    path(
        "api/v1/sessions/<uuid:pk>/",
        views.SessionViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
        name="session",
    ),
    path(
        "api/v1/invitations/acceptance/",
        views.InvitationAcceptanceView.as_view(),
        name="invitation-acceptance",
    ),
    path(
        "api/v1/login-codes/redemption/",
        views.LoginCodeRedemptionView.as_view(),
        name="login-code-redemption",
    ),
    path("api/v1/second-factor/", views.SecondFactorView.as_view(), name="second-factor"),
    path(
        "api/v1/second-factor/enrolment/",
        views.SecondFactorEnrolmentView.as_view(),
        name="second-factor-enrolment",
    ),
    path(
        "api/v1/second-factor/enrolment/confirmation/",
        views.SecondFactorConfirmationView.as_view(),
        name="second-factor-confirmation",
    ),
    path("api/v1/step-up/", views.StepUpView.as_view(), name="step-up"),
    path("api/v1/second-factor/codes/", views.SignInCodeView.as_view(), name="sign-in-codes"),
    path(
        "api/v1/second-factor/verification/",
        views.SecondFactorVerificationView.as_view(),
        name="second-factor-verification",
    ),
    path(
        "api/v1/second-factor/recovery-codes/",
        views.RecoveryCodesView.as_view(),
        name="recovery-codes",
    ),
    path(
        "api/v1/second-factor/removal/",
        views.SecondFactorRemovalView.as_view(),
        name="second-factor-removal",
    ),
]
