"""`./scripts/new_app` makes what every app has, and refuses what cannot be one."""

import ast
from pathlib import Path

import pytest

from scripts.app_skeleton import make
from scripts.state import ScriptError


def test_makes_the_skeleton(tmp_path: Path) -> None:
    told = make(name="credit_notes", package="tenant_apps", project=tmp_path)
    app = tmp_path / "tenant_apps" / "credit_notes"
    assert 'name = "tenant_apps.credit_notes"' in (app / "apps.py").read_text()
    assert "class CreditNotesConfig(AppConfig)" in (app / "apps.py").read_text()
    assert (app / "migrations" / "__init__.py").exists()
    assert (tmp_path / "tests" / "credit_notes" / "__init__.py").exists()
    for module in tmp_path.rglob("*.py"):
        ast.parse(module.read_text())
    assert "tenant_apps.credit_notes" in told


@pytest.mark.parametrize("name", ["Credit", "1st", "credit-notes", "class", "../up", ""])
def test_refuses_what_is_no_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScriptError):
        make(name=name, package="tenant_apps", project=tmp_path)
    assert not list(tmp_path.iterdir())


def test_refuses_a_taken_name_in_either_place(tmp_path: Path) -> None:
    (tmp_path / "shared_apps" / "notes").mkdir(parents=True)
    with pytest.raises(ScriptError, match="exists already"):
        make(name="notes", package="tenant_apps", project=tmp_path)
    assert not (tmp_path / "tenant_apps").exists()
