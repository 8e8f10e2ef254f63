from django.urls import path

from shared_apps.onboarding.api import views
from shared_apps.onboarding.pages import verification_page

public_urlpatterns = [
    path("api/v1/signup/", views.SignUpRequest.as_view(), name="signup"),
    path(
        "api/v1/signup/verification/",
        views.SignUpVerification.as_view(),
        name="signup-verification",
    ),
    path(
        "api/v1/signup/subdomains/<str:subdomain>/",
        views.SubdomainAvailability.as_view(),
        name="signup-subdomain",
    ),
    path("signup/verification/", verification_page, name="signup-verification-page"),
]
