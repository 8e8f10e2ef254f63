"""Make the skeleton of an app: `./scripts/new_app NAME --shared|--tenant`.

Only files with something in them are made; services, selectors and the others come with their
first function. What no script can decide, its floor above all, is printed as a list.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from pathlib import Path

from scripts.state import PROJECT, ScriptError

README = """# {title}

What it owns:

Words:

Invariants:

Floor:
"""
APPS = """from django.apps import AppConfig


class {camel}Config(AppConfig):
    name = "{package}.{name}"
"""
ERRORS = '''"""What callers of this app may expect to go wrong."""
'''
PERMISSIONS = '''"""The app's grants to the standard roles: own, unit or organization in scope."""

GRANTS: dict[str, dict[str, str]] = {}
'''
NEXT = """Made {folder}/ and {tests}/. Now:
  1. write what it owns, its words, invariants and floor into {folder}/README.md;
  2. put "{package}.{name}" on its floor in config/settings/applications.py;
  3. put it on the same floor in the import contracts of pyproject.toml;
  4. models.py and `manage.py makemigrations {name}`; then services.py, selectors.py, events.py,
     subscribers.py, tasks.py, admin.py, api/ as they are needed.
"""


def skeleton(*, name: str, package: str) -> dict[str, str]:
    """Answer the text of each file by its path in the project.

    :raises ScriptError: the name is not a plural noun's module name in lower case.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ScriptError(f"{name} is no name for an app: lower-case letters, digits and _ only.")
    title = name.replace("_", " ").capitalize()
    words = {
        "name": name,
        "package": package,
        "title": title,
        "camel": "".join(word.capitalize() for word in name.split("_")),
    }
    app = f"{package}/{name}"
    return {
        f"{app}/__init__.py": "",
        f"{app}/README.md": README.format(**words),
        f"{app}/apps.py": APPS.format(**words),
        f"{app}/errors.py": ERRORS,
        f"{app}/permissions.py": PERMISSIONS,
        f"{app}/migrations/__init__.py": "",
        f"tests/{name}/__init__.py": "",
    }


def make(*, name: str, package: str, project: Path = PROJECT) -> str:
    """Write the skeleton; answer what is left to do.

    :raises ScriptError: the name is none, or taken.
    """
    files = skeleton(name=name, package=package)
    for taken in (f"shared_apps/{name}", f"tenant_apps/{name}", name):
        if (project / taken).exists():
            raise ScriptError(f"{taken} exists already.")
    for path, text in files.items():
        target = project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return NEXT.format(
        folder=f"{package}/{name}", tests=f"tests/{name}", package=package, name=name
    )


def main(arguments: list[str] | None = None) -> int:
    """Obey the command line; answer the exit code."""
    parser = argparse.ArgumentParser(
        prog="./scripts/new_app",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME")
    place = parser.add_mutually_exclusive_group(required=True)
    for package in ("shared", "tenant"):
        place.add_argument(
            f"--{package}", dest="package", action="store_const", const=f"{package}_apps"
        )
    chosen = parser.parse_args(arguments)
    try:
        print(make(name=chosen.name, package=chosen.package), end="")
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
