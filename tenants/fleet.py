"""Structure of schemas: migrations by the library's executor, fingerprints, spare schemas.

Run as the owner (`manage.py` sees to it). The library's own commands to create, clone, rename and
delete schemas are shadowed.
"""

import secrets
from collections.abc import Callable
from functools import lru_cache

import structlog
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import transaction
from django_tenants.migration_executors.base import run_migrations
from django_tenants.postgresql_backend.base import FakeTenant

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor, AllowsEverything
from tenants import provisioning, roles, structure
from tenants.connections import connection
from tenants.models import MigratedSchema, Organization, SpareSchema
from tenants.provisioning import SpareSeed

Progress = Callable[[str], None]
logger = structlog.get_logger(__name__)
PUBLIC = "public"


class FleetIsBehind(Exception):
    """Organizations that could not be migrated, by their schemas."""

    def __init__(self, schema_names: list[str]) -> None:
        super().__init__(f"{len(schema_names)} not migrated: {', '.join(schema_names)}")
        self.schema_names = schema_names


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Which migrations and first rows a spare schema must have, as one short text."""
    return f"{structure.digest()}-{provisioning.spare_seeds_version()}"


def _on_platform() -> None:
    connection.set_tenant(FakeTenant(schema_name=PUBLIC))


def migrate_schema(schema_name: str) -> None:
    """Bring one schema to the current migrations and give its grants anew."""
    options = vars(MigrateCommand().create_parser("manage.py", "migrate").parse_args([]))
    options |= {"verbosity": 0, "interactive": False, "skip_checks": True}
    run_migrations([], options, "kontor", schema_name)
    _on_platform()
    roles.grant(schema_name)
    if schema_name != PUBLIC:
        _write_down(schema_name)


def _write_down(schema_name: str) -> None:
    connection.set_tenant(FakeTenant(schema_name=schema_name))
    try:
        applied = structure.applied_here()
    finally:
        _on_platform()
    MigratedSchema.objects.update_or_create(
        schema_name=schema_name,
        defaults={"digest": structure.digest(), "applied": applied, "migrated_at": clock.now()},
    )


def build_schema(schema_name: str) -> None:
    """Make a schema that an organization can live in."""
    _on_platform()
    roles.prepare_schema(schema_name)
    migrate_schema(schema_name)


def seed_spare(schema_name: str) -> None:
    """Write the first rows that are the same in every organization."""
    _write_rows(schema_name, provisioning.seed_spare, request_id="spare")


def renew_rows(schema_name: str) -> None:
    """Bring what a release adds to the first rows to an organization that came before it."""
    _write_rows(schema_name, provisioning.renew, request_id="fleet")


def _write_rows(schema_name: str, write: SpareSeed, *, request_id: str) -> None:
    connection.set_tenant(FakeTenant(schema_name=schema_name))
    try:
        with transaction.atomic():
            write(
                # Nobody waits for such news.
                actor=Actor(
                    request_id=request_id,
                    label="system:provisioning",
                    quiet=True,
                    checker=AllowsEverything(),
                )
            )
    finally:
        _on_platform()


def new_schema_name() -> str:
    """An opaque name: nothing of the organization's name, address or age is in it."""
    return f"t_{secrets.token_hex(8)}"


def build_spare_schema(name: str = "") -> SpareSchema:
    """Add one schema to the pool; its name is new unless one is given."""
    name = name or new_schema_name()
    build_schema(name)
    seed_spare(name)
    return SpareSchema.objects.create(schema_name=name, fingerprint=fingerprint())


def fill_pool(*, wanted: int, progress: Progress) -> int:
    """Build spare schemas until `wanted` of the current fingerprint wait; return how many."""
    _on_platform()
    built = 0
    while SpareSchema.objects.filter(fingerprint=fingerprint()).count() < wanted:
        spare = build_spare_schema()
        built += 1
        progress(f"spare schema {spare.schema_name}")
    return built


def _discard(schema_name: str) -> bool:
    """Drop a spare schema; False if somebody has claimed it meanwhile."""
    # The row goes first: from then on nobody can claim it.
    with transaction.atomic():
        deleted, _ = SpareSchema.objects.filter(schema_name=schema_name).delete()
    if deleted:
        roles.drop_schema(schema_name)
        MigratedSchema.objects.filter(schema_name=schema_name).delete()
    return bool(deleted)


def refresh_spares(*, progress: Progress) -> None:
    """Bring the spare schemas to the current fingerprint.

    One whose first rows are of this code is migrated; another is replaced, for its rows may have
    to go or to change.
    """
    _on_platform()
    stale = list(
        SpareSchema.objects.exclude(fingerprint=fingerprint()).values_list(
            "schema_name", "fingerprint"
        )
    )
    seeds = provisioning.spare_seeds_version()
    for number, (schema_name, found) in enumerate(stale, start=1):
        progress(f"spare {number}/{len(stale)} {schema_name}")
        if found.endswith(f"-{seeds}"):
            migrate_schema(schema_name)
            SpareSchema.objects.filter(schema_name=schema_name).update(fingerprint=fingerprint())
        elif _discard(schema_name):
            build_spare_schema()


def migrate_fleet(*, progress: Progress) -> None:
    """Migrate the public schema, every organization's, and the spares.

    An organization whose migration fails keeps nobody from theirs: it is named at the end, and
    readiness names it until it is mended and this is run again.

    :raises FleetIsBehind: organizations could not be migrated.
    """
    _on_platform()
    roles.prepare_database()
    progress("public")
    migrate_schema(PUBLIC)
    organizations = list(Organization.objects.order_by("id").values_list("schema_name", flat=True))
    behind: list[str] = []
    for number, schema_name in enumerate(organizations, start=1):
        progress(f"{number}/{len(organizations)} {schema_name}")
        try:
            migrate_schema(schema_name)
            renew_rows(schema_name)
        except Exception as problem:
            # Whatever it is, it is this organization's: the others do not wait for it.
            logger.exception("an organization was not migrated", schema=schema_name)
            progress(f"{schema_name} failed: {problem}")
            behind.append(schema_name)
            connection.close()
            _on_platform()
    refresh_spares(progress=progress)
    if behind:
        raise FleetIsBehind(behind)
