#!/usr/bin/env python
"""Kontor's command line."""

import os
import sys

OWNER_COMMANDS = frozenset(
    {"migrate_fleet", "fill_spare_schemas", "sqlmigrate", "showmigrations", "makemigrations"}
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Only what changes the structure of schemas logs in as their owner.
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ["DATABASE_LOGIN"] = "owner"

    # After the login was chosen: settings read it.
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
