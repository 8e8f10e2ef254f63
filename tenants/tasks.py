"""Background work runs for one organization, named in the task's header, or for the platform."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from celery import Task, shared_task
from django.conf import settings
from django.db import DatabaseError
from django_tenants.postgresql_backend.base import FakeTenant

from shared_apps.kernel.transactions import retrying
from tenants.connections import connection
from tenants.context import organization_or_none, platform_context, tenant_context
from tenants.errors import TaskRefused
from tenants.models import Organization, SpareSchema
from tenants.selectors import all_organizations, served_organizations

logger = structlog.get_logger(__name__)
HEADER = "kontor_organization"


class TenantTask(Task):
    """The base class of every task.

    A task without an organization is refused unless it is declared with `platform=True`; the
    organization's state is checked before it runs (for one that is suspended only a task declared
    with `also_suspended=True` runs); afterwards the connection is in no tenant.

    After a deadlock or a serialization failure it runs again from its beginning, a few times. A
    message may reach a worker twice anyhow, so every task bears that.
    """

    abstract = True
    platform = False
    also_suspended = False

    def apply_async(
        self, args: Any = None, kwargs: Any = None, *positional: Any, **options: Any
    ) -> Any:
        headers = dict(options.pop("headers", None) or {})
        if not self.platform and HEADER not in headers:
            organization = organization_or_none()
            if organization is None:
                raise TaskRefused(f"{self.name} was sent without an organization")
            headers[HEADER] = str(organization.id)
        return super().apply_async(args, kwargs, *positional, headers=headers, **options)

    def _sent_for(self) -> str | None:
        sent: str | None = getattr(self.request, HEADER, None)
        if sent is None and self.request.headers:
            sent = self.request.headers.get(HEADER)
        return sent

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        former = connection.tenant
        connection.set_no_tenant()
        try:
            tenant = FakeTenant(schema_name="public") if self.platform else self._organization()

            def run() -> Any:
                connection.set_tenant(tenant)
                return super(TenantTask, self).__call__(*args, **kwargs)

            return retrying(run)
        finally:
            if self.request.is_eager:
                connection.set_tenant(former)
            else:
                connection.set_no_tenant()

    def _organization(self) -> Organization:
        sent = self._sent_for()
        if sent is None:
            raise TaskRefused(f"{self.name} came without an organization")
        with platform_context(reason="check the organization of a task"):
            organization: Organization | None = Organization.objects.filter(id=UUID(sent)).first()
        if organization is None or not (organization.is_served or self.also_suspended):
            logger.warning("task_refused", task=self.name, organization=sent)
            raise TaskRefused(f"{self.name}: the organization is not served")
        return organization


def in_every_organization(act: Callable[[], object], *, also_suspended: bool = False) -> None:
    """Do something in each organization that is served, or in the suspended ones as well. Where it
    fails it is logged, and the others have their turn."""
    for organization in all_organizations() if also_suspended else served_organizations():
        try:
            with tenant_context(organization):
                retrying(act)
        except DatabaseError:
            logger.exception("organization_left_out", organization=str(organization.id))


@shared_task(platform=True)
def keep_spare_schemas() -> None:
    """Keep the pool full. Schemas are made by the owner's login, in a process of its own."""
    from tenants.fleet import fingerprint  # noqa: PLC0415  (loads every migration: only here)

    if SpareSchema.objects.filter(fingerprint=fingerprint()).count() >= settings.SPARE_SCHEMAS:
        return
    subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "fill_spare_schemas"],
        check=True,
        timeout=600,
        stdout=subprocess.DEVNULL,
    )
