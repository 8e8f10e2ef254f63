"""Organizations, the hosts they answer on, and the pool of schemas that wait for one."""

from typing import Any, NoReturn

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin

from shared_apps.kernel import clock
from shared_apps.kernel.fields import CreatedAtField, CurrencyField
from shared_apps.kernel.fiscal import FiscalCalendar
from shared_apps.kernel.ids import uuid7
from tenants.errors import TenancyError


class OrganizationState(models.TextChoices):
    TRIAL = "trial", "Trial"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def served(self) -> "OrganizationQuerySet":
        """Those whose staff may work."""
        return self.exclude(state=OrganizationState.SUSPENDED)

    def delete(self) -> NoReturn:
        raise TenancyError("organizations are closed, never deleted")


class Organization(TenantMixin):
    """A tenant: one customer of the platform, with a schema of its own.

    `id` and `schema_name` never change (a trigger holds it): names, subdomains and custom domains
    are rows that may. `entitlements` is a copy that `plans` writes, so that the routing reads one
    row. Everything here is read on every request; what is not needed there belongs elsewhere.
    """

    auto_create_schema = False
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    tax_number = models.CharField(max_length=40, blank=True)
    base_currency = CurrencyField()
    time_zone = models.CharField(max_length=64)
    fiscal_year_start_month = models.PositiveSmallIntegerField(default=1)
    fiscal_year_start_day = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(
        max_length=12, choices=OrganizationState.choices, default=OrganizationState.TRIAL
    )
    plan_code = models.CharField(max_length=40, blank=True)
    entitlements = models.JSONField(default=dict, blank=True)
    trial_ends_on = models.DateField(null=True, blank=True)
    # Grows with each change, under the row's lock: what the routing caches is never older.
    routing_version = models.BigIntegerField(default=1, db_default=1)
    created_at = CreatedAtField()

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="organization_schema_name_is_opaque",
                condition=models.Q(schema_name__regex=r"^t_[a-z0-9_]{1,40}$"),
            ),
            models.CheckConstraint(
                name="organization_fiscal_year_start",
                condition=models.Q(fiscal_year_start_month__range=(1, 12))
                & models.Q(fiscal_year_start_day__range=(1, 28)),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def fiscal_calendar(self) -> FiscalCalendar:
        return FiscalCalendar(
            start_month=self.fiscal_year_start_month, start_day=self.fiscal_year_start_day
        )

    @property
    def is_served(self) -> bool:
        return self.state != OrganizationState.SUSPENDED

    # The library's own ways to make, enter and drop a tenant are closed.
    def _closed(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TenancyError("closed: use tenants.context and tenants.services")

    create_schema = _closed
    delete = _closed
    _drop_schema = _closed
    __enter__ = _closed
    __exit__ = _closed
    activate = _closed
    deactivate = _closed


def first_routing_version() -> int:
    """Milliseconds since 1970: more than a host of the same name had when it was removed."""
    return int(clock.now().timestamp() * 1000)


class Domain(DomainMixin):
    """A host name that leads to an organization, in lower case, without a port.

    The version of what a host leads to is its own and its organization's added together: the
    one grows when the host moves, the other when the organization changes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = CreatedAtField()
    routing_version = models.BigIntegerField(
        default=first_routing_version,
        # For rows of the release before, which knows no versions.
        db_default=models.Func(
            template="(extract(epoch FROM now()) * 1000)", output_field=models.BigIntegerField()
        ),
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="domain_is_lower_case",
                condition=models.Q(domain__regex=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"),
            ),
        )


class SpareSchema(models.Model):
    """A migrated, empty schema that waits for an organization to claim it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schema_name = models.CharField(max_length=63, unique=True)
    fingerprint = models.CharField(max_length=64)
    created_at = CreatedAtField()

    class Meta:
        indexes = (
            models.Index(fields=["fingerprint", "created_at"], name="spare_schema_by_fingerprint"),
        )

    def __str__(self) -> str:
        return self.schema_name


class MigratedSchema(models.Model):
    """What an organization's or a spare schema was last migrated to. The owner writes it."""

    read_only = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schema_name = models.CharField(max_length=63, unique=True)
    digest = models.CharField(max_length=64)
    # "app.name" of each migration it has.
    applied = models.JSONField(default=list)
    migrated_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.schema_name
