"""A real sales book, imported through all rules, against the same rows without any."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim
from scripts.state import PROJECT, ScriptError

ABOUT = (
    "Imports the real sales book of the trial data into a fresh organization by the command, in a"
    " process of its own; its peak memory is that process's. Beside it, every row that stands then"
    " (the audit trail and the field history too) is written once more by bulk_create, in batches"
    " of 500 and one transaction, into tables with the same columns, indexes and checks: no rule,"
    " no lock, no question, and no foreign key."
)
GOALS = {
    "seconds": Goal(at_most=75.0),
    "peak_memory_megabytes": Goal(at_most=400.0),
}
SUBDOMAIN = "bench-ax"
VERIFIER = "verifier@bench.example"
PLAIN_SCHEMA = "t_plain"
ROWS_PER_STATEMENT = 500


def _source() -> Path:
    from django.conf import settings

    source = Path(settings.TRIAL_DATA) / "data" / "crm" / "maven_crm"
    if not source.is_dir():
        raise ScriptError(f"the trial data are not at {settings.TRIAL_DATA} (TRIAL_DATA)")
    return source


def _verifier(organization: Any) -> None:
    from django.db import transaction

    from shared_apps.access.actors import system_actor
    from shared_apps.access.selectors import root_unit
    from shared_apps.access.services import grant_membership
    from shared_apps.accounts.services import create_user
    from tenants.context import tenant_context

    actor = system_actor("benchmark")
    with tenant_context(organization), transaction.atomic():
        person = create_user(
            actor=actor, email=VERIFIER, full_name="Bench Verifier", password_hash="!"
        )
        grant_membership(actor=actor, user_id=person.pk, unit_id=root_unit().pk, role="verifier")


def _apart(*arguments: str, login: str) -> dict[str, Any]:
    """What a part of this module answers from a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.import", *arguments],
        cwd=PROJECT,
        env={**os.environ, "DATABASE_LOGIN": login},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _import(directory: str) -> dict[str, float]:
    """In the importer's process."""
    from django.core.management import call_command

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        call_command(
            "import_sales_book",
            directory,
            organization=SUBDOMAIN,
            verifier=VERIFIER,
            report=f"{folder}/report.csv",
        )
        seconds = time.perf_counter() - started
    # Kilobytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak": peak}


def _write_plainly(schema_name: str) -> dict[str, float]:
    """In the owner's process: read each table's rows, then write them, and count the writing."""
    from django.apps import apps
    from django.db import transaction
    from django_tenants.postgresql_backend.base import FakeTenant
    from psycopg import sql

    from tenants import roles
    from tenants.connections import connection

    connection.set_tenant(FakeTenant(schema_name=schema_name))
    plain = sql.Identifier(PLAIN_SCHEMA)
    present = set(connection.introspection.table_names())
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.db_table in present
    ]
    rows = {model: list(model._base_manager.all()) for model in models}
    roles.execute(sql.SQL("CREATE SCHEMA {}").format(plain))
    for model in models:
        table = sql.Identifier(model._meta.db_table)
        roles.execute(
            sql.SQL("CREATE TABLE {}.{} (LIKE {}.{} INCLUDING ALL)").format(
                plain, table, sql.Identifier(schema_name), table
            )
        )
    connection.set_tenant(FakeTenant(schema_name=PLAIN_SCHEMA))
    started = time.perf_counter()
    with transaction.atomic():
        for model, instances in rows.items():
            model._base_manager.bulk_create(instances, batch_size=ROWS_PER_STATEMENT)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "rows": sum(map(len, rows.values()))}


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Measure; seconds and megabytes, but for the ratio and the count."""
    source = _source()
    progress("an organization with a verifier")
    as_owner("fill", "1")
    organization, _ = claim(0)()
    _verifier(organization)
    progress("the sales book, by the importer")
    imported = _apart("import", str(source), login="app")
    progress("the same rows, by bulk_create")
    plain = _apart("plain", organization.schema_name, login="owner")
    return {
        "seconds": imported["seconds"],
        "peak_memory_megabytes": imported["peak"],
        "rows_written": plain["rows"],
        "plain_bulk_insert_seconds": plain["seconds"],
        "import_over_plain_bulk_insert": imported["seconds"] / plain["seconds"],
    }


def _main(what: str, argument: str) -> None:
    import django

    django.setup()
    parts: dict[str, Callable[[str], dict[str, float]]] = {
        "import": _import,
        "plain": _write_plainly,
    }
    print(json.dumps(parts[what](argument)))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
