"""Which migrations the code needs, and which a schema has: told by the owner, read by anybody.

Every schema keeps its own list, which only its own role may read. So the owner, who migrates, also
writes down on the platform what each organization's schema has, and one statement finds those that
are behind. A schema that is ahead (newer code has migrated it, and this process still serves) is
not behind.
"""

import hashlib
from functools import lru_cache

from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.db.models import Q

from tenants.connections import connection
from tenants.models import MigratedSchema, Organization

Migration = tuple[str, str]


def _labels(installed: list[str]) -> frozenset[str]:
    return frozenset(
        config.label for config in apps.get_app_configs() if config.name in set(installed)
    )


@lru_cache(maxsize=1)
def _loader() -> MigrationLoader:
    return MigrationLoader(None, ignore_no_migrations=True)


@lru_cache(maxsize=1)
def digest() -> str:
    """All migrations of the organizations' apps, as one short text."""
    labels = _labels(settings.TENANT_APPS)
    names = sorted(f"{app}.{name}" for app, name in _loader().disk_migrations if app in labels)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


@lru_cache(maxsize=2)
def _last_migrations(*, on_platform: bool) -> frozenset[Migration]:
    labels = _labels(settings.SHARED_APPS if on_platform else settings.TENANT_APPS)
    return frozenset(node for node in _loader().graph.leaf_nodes() if node[0] in labels)


def _applied() -> set[Migration]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return {(app, name) for app, name in cursor.fetchall()}


def applied_here() -> list[str]:
    """The migrations of the organizations' apps that the present schema has."""
    labels = _labels(settings.TENANT_APPS)
    return sorted(f"{app}.{name}" for app, name in _applied() if app in labels)


def platform_is_behind_by() -> list[str]:
    """The last migrations that the public schema lacks, one for each app that is behind."""
    needed = _last_migrations(on_platform=True)
    return sorted(f"{app}.{name}" for app, name in needed - _applied())


def organizations_behind(*, most: int) -> list[str]:
    """Schemas of organizations that lack migrations, at most so many. To be called on the
    platform."""
    needed = [f"{app}.{name}" for app, name in sorted(_last_migrations(on_platform=False))]
    # The digest comes first: in a fleet that is up to date nothing longer is ever compared.
    current = MigratedSchema.objects.filter(Q(digest=digest()) | Q(applied__contains=needed))
    behind = Organization.objects.exclude(schema_name__in=current.values("schema_name"))
    return list(behind.order_by("schema_name").values_list("schema_name", flat=True)[:most])
