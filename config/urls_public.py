"""What the platform's host serves: `public_urlpatterns` of each app's api/urls.py, the console."""

from importlib.util import find_spec

from django.conf import settings

from config.routes import document_routes, routes_of

urlpatterns = [
    *routes_of(settings.SHARED_APPS, name="public_urlpatterns"),
    *document_routes("config.urls_public"),
]
if find_spec("shared_apps.console.urls"):
    from shared_apps.console.urls import urlpatterns as console_patterns

    urlpatterns += console_patterns

handler404 = "shared_apps.kernel.api.problems.not_found"
handler500 = "shared_apps.kernel.api.problems.server_error"
handler400 = "shared_apps.kernel.api.problems.bad_request"
handler403 = "shared_apps.kernel.api.problems.forbidden"
