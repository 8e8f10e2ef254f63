"""What scripts understand of a .env file, and that .env.example knows every setting."""

import re
from pathlib import Path

from scripts.state import PROJECT, parse_settings

EXAMPLE = PROJECT / ".env.example"
# Read by the scripts, before or beside the product.
OF_SCRIPTS = {
    "BIND_HOST",
    "DATABASE_LOGIN",
    "PORT",
    "POSTGRES_PROGRAMS",
    "WEB_PORT",
    "WEB_THREADS",
    "WEB_WORKERS",
}


def settings_of_product() -> set[str]:
    found: set[str] = set()
    for path in (PROJECT / "config").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found.update(re.findall(r'\bread\(\s*"\w+",\s*"([A-Z_]+)"', text))
    return found


def test_reads_plain_quoted_and_exported_values() -> None:
    text = "\n".join(
        [
            "# a comment",
            "",
            "PLAIN=value",
            'QUOTED="a value"',
            "SINGLE='another'",
            "export EXPORTED=yes",
            "URL=postgres://user:pass=word@host/db",
            "EMPTY=",
            "not a setting",
        ]
    )
    assert parse_settings(text) == {
        "PLAIN": "value",
        "QUOTED": "a value",
        "SINGLE": "another",
        "EXPORTED": "yes",
        "URL": "postgres://user:pass=word@host/db",
        "EMPTY": "",
    }


def test_the_example_names_every_setting_and_no_other() -> None:
    named = set(parse_settings(EXAMPLE.read_text(encoding="utf-8")))
    assert named == settings_of_product() | OF_SCRIPTS


def test_the_example_explains_every_setting() -> None:
    lines = Path(EXAMPLE).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.match(r"[A-Z_]+=", line):
            before = lines[number - 1]
            assert before.startswith("# ") or re.match(r"WEB_[A-Z]+=|BIND_HOST=", before), line
