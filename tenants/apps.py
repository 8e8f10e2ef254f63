from django.apps import AppConfig
from django.core.signals import request_finished, request_started

from tenants.connections import connection


def leave_tenant(**kwargs: object) -> None:
    """Put the connection of this thread into no tenant."""
    connection.set_no_tenant()


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        from tenants import checks, content_types  # noqa: F401, PLC0415  (models are loaded now)

        content_types.install()
        # Not when the middleware returns: an answer that streams still reads its tenant's rows.
        request_started.connect(leave_tenant, dispatch_uid="tenants.request_started")
        request_finished.connect(leave_tenant, dispatch_uid="tenants.request_finished")
