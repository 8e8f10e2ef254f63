"""Containers and hosting start the same parts, with settings that exist."""

from typing import Any

import pytest
import yaml

from scripts import serving
from scripts.state import PROJECT, parse_settings

KNOWN = set(parse_settings((PROJECT / ".env.example").read_text(encoding="utf-8")))
# Of the hosting service and of the database's image, not ours.
OF_OTHERS = {"PYTHON_VERSION", "POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD"}


def loaded(name: str) -> Any:
    return yaml.safe_load((PROJECT / name).read_text(encoding="utf-8"))


def test_hosting_runs_every_part() -> None:
    commands = [service.get("startCommand") for service in loaded("render.yaml")["services"]]
    assert {f"python -m scripts.serving {part}" for part in serving.PARTS} <= set(commands)


def test_hosting_migrates_before_it_starts_and_watches_the_health() -> None:
    services = {service["name"]: service for service in loaded("render.yaml")["services"]}
    assert "migrate_fleet" in services["kontor-web"]["preDeployCommand"]
    assert services["kontor-web"]["healthCheckPath"] == "/api/health/"


def test_hosting_knows_no_setting_that_does_not_exist() -> None:
    blueprint = loaded("render.yaml")
    lists = [blueprint["envVarGroups"][0]["envVars"]]
    lists += [service.get("envVars", []) for service in blueprint["services"]]
    named = {entry["key"] for entries in lists for entry in entries if "key" in entry}
    assert named <= KNOWN | OF_OTHERS


def test_containers_run_every_part_after_the_migration() -> None:
    services = loaded("compose.yaml")["services"]
    for part in serving.PARTS:
        assert services[part]["command"] == ["python", "-m", "scripts.serving", part]
        assert services[part]["depends_on"]["migrate"]["condition"] == (
            "service_completed_successfully"
        )
    assert "migrate_fleet" in services["migrate"]["command"][-1]


def test_containers_know_no_setting_that_does_not_exist() -> None:
    for service in loaded("compose.yaml")["services"].values():
        assert set(service.get("environment", {})) <= KNOWN | OF_OTHERS


@pytest.mark.parametrize("part", serving.PARTS)
def test_each_part_has_a_command_line(part: str) -> None:
    line = serving.command(part, python="python", host="127.0.0.1", port=8123, settings={})
    assert line[:2] == ["python", "-m"]
    assert ("8123" in " ".join(line)) == (part in ("web", "sockets"))


def test_every_part_is_given_the_keys_of_seals() -> None:
    wanted = {"SEAL_KEY", "SEAL_OLD_PUBLIC_KEYS"}
    group = {entry["key"] for entry in loaded("render.yaml")["envVarGroups"][0]["envVars"]}
    assert wanted <= group
    services = loaded("compose.yaml")["services"]
    for part in (*serving.PARTS, "migrate"):
        assert wanted <= set(services[part]["environment"])
