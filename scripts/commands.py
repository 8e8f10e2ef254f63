"""Run several management commands in one process, because starting one costs more than most do.

`python -m scripts.commands migrate_fleet fill_spare_schemas`
"""

from __future__ import annotations

import os
import sys

import django
from django.core.management import call_command

from scripts.preparation import DEMO_WANTED, EX_DEMO_MISSING
from scripts.state import say

TITLES = {
    "migrate_fleet": "migrating the public schema, organizations and spares",
    "setup_permissions": "granting permissions to the standard roles",
    "fill_spare_schemas": "filling the pool of spare schemas",
    "seed_demo_data": "inventing the demo organization (once)",
    "collectstatic": "collecting static files",
}
OPTIONS = {"collectstatic": {"interactive": False, "verbosity": 0}}


def main(names: list[str]) -> int:
    """Run the commands in order; answer the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    for name in names:
        if name == DEMO_WANTED:
            return 0 if _demo_exists() else EX_DEMO_MISSING
        say(TITLES.get(name, name))
        call_command(name, **OPTIONS.get(name, {}))
    return 0


def _demo_exists() -> bool:
    # Models can be imported only after django.setup().
    from tenants.models import Organization
    from tenants.selectors import organization_by_subdomain

    try:
        organization_by_subdomain("demo")
    except Organization.DoesNotExist:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
