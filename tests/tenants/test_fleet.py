"""Migrating all organizations: one that fails keeps nobody from theirs, and is named."""

import subprocess
import sys
from typing import Any

from django.db import connection

from tenants.context import platform_context
from tenants.models import MigratedSchema, Organization
from tests import databases


def test_goes_on_past_an_organization_that_fails_and_names_it(real_commits: Any) -> None:
    database = str(connection.settings_dict["NAME"])
    with platform_context(reason="test"):
        first, *others = Organization.objects.order_by("id").values_list("schema_name", flat=True)
        before = dict(MigratedSchema.objects.values_list("schema_name", "migrated_at"))
    assert others
    with databases.owner_connection(database) as owner:
        # It would make a table again that stands already.
        owner.execute(
            f"DELETE FROM {first}.django_migrations"  # type: ignore[arg-type]  # a name of ours
            " WHERE app = 'ledger' AND name = '0009_holds'"
        )
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate_fleet"],
        cwd=databases.ROOT,
        env=databases.environment_for(database),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"1 not migrated: {first}" in done.stderr
    with platform_context(reason="test"):
        after = dict(MigratedSchema.objects.values_list("schema_name", "migrated_at"))
    assert after[first] == before[first]
    assert all(after[other] > before[other] for other in others)
