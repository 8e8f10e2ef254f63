"""The console's site: super-admins with a second factor, on the platform's host."""

from typing import Any

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from shared_apps.console.forms import SecondFactorLoginForm
from shared_apps.console.selectors import platform_figures


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


site = ConsoleSite()
