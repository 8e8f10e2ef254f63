"""A wrong provider, key or secret is one clear line at start."""

import base64
import json
import os
import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest

from scripts.simulated_provider import new_secret
from tests.databases import ROOT

ACME = str(UUID(int=7))
# Of the form that is asked for, and the same in each process that collects these tests.
SECRET = base64.b64encode(bytes(range(32))).decode()
FINE = {"CHARGE_PROVIDER_URL": "https://provider.example/v1", "CHARGE_PROVIDER_KEY": "us:word"}


def start(**settings: str) -> Any:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from config.settings import charging as c; print(c.CHARGE_ACCOUNTS)",
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
        ("CHARGE_PROVIDER_URL", "gopher://provider.example"),
        ("CHARGE_PROVIDER_URL", "http://provider.example/v1"),
        ("CHARGE_PROVIDER_URL", "http://192.168.1.1/v1"),
        ("CHARGE_PROVIDER_URL", "https://user:word@provider.example"),
        ("CHARGE_PROVIDER_KEY", "word"),
        ("CHARGE_PROVIDER_KEY", ":word"),
        ("CHARGE_CALLBACK_SECRETS", "whsec_c2hvcnQ="),
        ("CHARGE_CALLBACK_SECRETS", SECRET),
        ("CHARGE_CALLBACK_SECRETS", f"whsec_{SECRET},whsec_!"),
        ("CHARGE_ACCOUNTS", "[]"),
        ("CHARGE_ACCOUNTS", '{"acme": {}}'),
        ("CHARGE_ACCOUNTS", json.dumps({ACME: {"url": "https://provider.example"}})),
        ("CHARGE_ACCOUNTS", json.dumps({ACME: {"secret": "x"}})),
        ("CHARGE_ACCOUNTS", json.dumps({ACME: {"callback_secrets": "whsec_x"}})),
    ],
)
def test_it_is_named(name: str, value: str) -> None:
    done = start(**{**FINE, name: value})
    assert done.returncode == 78
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"Kontor cannot start: the setting {name} ")
    assert "word" not in line


def test_an_organization_may_have_its_own() -> None:
    own = {"url": "http://127.0.0.1:8077/v1", "key": "a:b", "callback_secrets": [new_secret()]}
    done = start(CHARGE_ACCOUNTS=json.dumps({ACME: own}), **FINE)
    assert done.returncode == 0, done.stderr
    assert "8077" in done.stdout
