"""The console's site: super-admins with a second factor, on the platform's host."""

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.sites import UnfoldAdminSite

from shared_apps.accounts.services import change_password
from shared_apps.console.actors import super_admin
from shared_apps.console.forms import OwnPasswordForm, SecondFactorLoginForm
from shared_apps.console.selectors import platform_figures
from shared_apps.seals.platform import verify_platform


class OwnPasswordPage(PasswordChangeView):
    """The library's page would set the password behind the services' back."""

    def form_valid(self, form: Any) -> HttpResponse:
        change_password(
            old_password=form.cleaned_data["old_password"],
            new_password=form.cleaned_data["new_password1"],
            actor=super_admin(self.request),
        )
        # The page keeps its session by the new password's hash.
        form.user.refresh_from_db()
        update_session_auth_hash(self.request, form.user)
        return HttpResponseRedirect(self.get_success_url())


class ConsoleSite(UnfoldAdminSite):
    index_title = "Platform"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.login_form = SecondFactorLoginForm
        self.login_template = "console/login.html"
        self.index_template = "console/index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(
            user.is_authenticated and user.is_active and user.is_staff and user.is_verified()
        )

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().index(request, {"figures": platform_figures(), **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        page = self.admin_view(self.seals_page)
        return [path("platform-seals/", page, name="platform-seals"), *super().get_urls()]

    def seals_page(self, request: HttpRequest) -> HttpResponse:
        """The platform's own log, read again at this moment."""
        return TemplateResponse(
            request,
            "console/seals.html",
            {
                **self.each_context(request),
                "title": "Seals of the platform's log",
                "chains": verify_platform(),
            },
        )

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        page = OwnPasswordPage.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse(f"{self.name}:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return page(request)


site = ConsoleSite()
