"""What an organization's host serves: `urlpatterns` of each app's api/urls.py."""

from django.conf import settings

from config.routes import document_routes, routes_of

urlpatterns = [
    *routes_of(settings.TENANT_APPS, name="urlpatterns"),
    *document_routes("config.urls_tenant"),
]

handler404 = "shared_apps.kernel.api.problems.not_found"
handler500 = "shared_apps.kernel.api.problems.server_error"
handler400 = "shared_apps.kernel.api.problems.bad_request"
handler403 = "shared_apps.kernel.api.problems.forbidden"
