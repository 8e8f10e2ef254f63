"""The locks: complete, hashed, and silent about where packages come from."""

import re
import tomllib
from pathlib import Path

import pytest

from scripts import environment
from scripts.state import PROJECT

LOCKS = [environment.LOCK, environment.DEVELOPMENT_LOCK]
PROJECT_TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def locked_names(lock: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==", lock.read_text(), re.MULTILINE))


def asked_names(requirements: list[str]) -> set[str]:
    names = {re.split(r"[\[<>=~!; ]", requirement)[0] for requirement in requirements}
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_names_no_index(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links)\b", text, re.M)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_has_a_version_and_hashes(lock: Path) -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", lock.read_text().split("\n", 1)[1])
    assert len(blocks) > 20
    for block in blocks:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


def test_holds_everything_the_product_asks_for() -> None:
    assert asked_names(PROJECT_TABLE["dependencies"]) <= locked_names(environment.LOCK)


def test_holds_everything_development_asks_for() -> None:
    asked = asked_names(PROJECT_TABLE["optional-dependencies"]["development"])
    assert asked <= locked_names(environment.DEVELOPMENT_LOCK)


def test_the_product_needs_no_development_tool() -> None:
    assert not {"pytest", "ruff", "mypy"} & locked_names(environment.LOCK)


def test_both_locks_agree() -> None:
    def versions(lock: Path) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE))

    product, development = map(versions, LOCKS)
    common = product.keys() & development.keys()
    assert {name: product[name] for name in common} == {name: development[name] for name in common}
