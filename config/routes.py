"""Every app's routes, found where the house style puts them: `<app>/api/urls.py`."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView


def routes_of(apps: list[str], *, name: str) -> list[Any]:
    """The list called `name` of each of our apps that has one."""
    found: list[Any] = []
    for app in apps:
        if not app.startswith(("shared_apps.", "tenant_apps.")):
            continue
        if find_spec(f"{app}.api") is None or find_spec(f"{app}.api.urls") is None:
            continue
        found.extend(getattr(import_module(f"{app}.api.urls"), name, []))
    return found


def document_routes(urlconf: str) -> list[Any]:
    """The OpenAPI document and the pages that read it."""
    return [
        path("", RedirectView.as_view(pattern_name="swagger"), name="root"),
        path("api/schema/", SpectacularAPIView.as_view(urlconf=urlconf), name="schema"),
        path("swagger/", SpectacularSwaggerView.as_view(url_name="schema"), name="swagger"),
        path("redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
    ]
