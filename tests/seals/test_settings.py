"""A wrong key is one clear line at start."""

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.databases import ROOT

GOOD = "11" * 32


def start(**settings: str) -> Any:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from config import settings as s; print(s.SEAL_KEY_ID, sorted(s.SEAL_PUBLIC_KEYS))",
        ],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEAL_KEY", "2026a"),
        ("SEAL_KEY", f"2026a:{GOOD[:-2]}"),
        ("SEAL_KEY", f"2026 a:{GOOD}"),
        ("SEAL_KEY", f"2026a:{'zz' * 32}"),
        ("SEAL_OLD_PUBLIC_KEYS", f"2025a:{GOOD},2024a:xx"),
    ],
)
def test_a_malformed_key_is_named(name: str, value: str) -> None:
    done = start(**{name: value})
    assert done.returncode == 78
    assert done.stderr.splitlines()[-1].startswith(f"Kontor cannot start: the setting {name} is")


def test_two_keys_of_one_name_are_refused() -> None:
    done = start(SEAL_KEY=f"a:{GOOD}", SEAL_OLD_PUBLIC_KEYS=f"a:{GOOD}")
    assert done.returncode == 78
    assert "both have the id a" in done.stderr


def test_old_keys_stand_beside_the_new_one() -> None:
    done = start(SEAL_KEY=f"b:{GOOD}", SEAL_OLD_PUBLIC_KEYS=f"a:{GOOD}")
    assert done.stdout.strip() == "b ['a', 'b']"


def test_without_one_it_follows_from_the_secret_key() -> None:
    first, again = start(SEAL_KEY=""), start(SEAL_KEY="")
    assert first.stdout == again.stdout
    assert first.stdout.startswith("derived-")
    assert start(SEAL_KEY="", SECRET_KEY="x" * 50).stdout != first.stdout


def test_production_does_not_start_without_one() -> None:
    """Served over https: a key that follows from another secret would be lost with it."""
    done = start(SEAL_KEY="", PUBLIC_SCHEME="https")
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert line.startswith("Kontor cannot start: the setting SEAL_KEY is missing")
    assert start(SEAL_KEY=f"b:{GOOD}", PUBLIC_SCHEME="https").stdout.strip() == "b ['b']"
