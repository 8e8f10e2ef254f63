"""Foreign keys and string references go down, like imports (which import-linter holds)."""

import ast
import tomllib
from collections.abc import Iterator

from django.apps import apps
from django.db.models import Model

from tests.architecture.source import ROOT, code_of_apps


def floors() -> dict[str, int]:
    """App label to its height, read from the import contract."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contract = tomllib.load(file)["tool"]["importlinter"]["contracts"][0]
    heights = {}
    for height, line in enumerate(reversed(contract["layers"])):
        for room in line.split("|"):
            heights[room.strip(" ()").rpartition(".")[2]] = height
    return heights


def test_every_app_stands_on_a_floor() -> None:
    heights = floors()
    ours = {
        config.label
        for config in apps.get_app_configs()
        if config.name.startswith(("shared_apps.", "tenant_apps.", "tenants"))
    }
    assert ours - set(heights) == set()


def _references(model: type[Model]) -> Iterator[tuple[str, type[Model]]]:
    """The model's own columns that point at another model, and that model."""
    for field in model._meta.get_fields():
        target: type[Model] | None = getattr(field, "related_model", None)
        if field.concrete and isinstance(target, type):
            yield field.name, target


def test_foreign_keys_point_down() -> None:
    heights = floors()
    wrong = [
        f"{model._meta.label}.{name} -> {target._meta.label}"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in heights
        for name, target in _references(model)
        if target._meta.app_label in heights
        and target._meta.app_label != model._meta.app_label
        and heights[target._meta.app_label] >= heights[model._meta.app_label]
    ]
    assert wrong == []


def test_no_foreign_key_crosses_from_an_organization_to_the_platform() -> None:
    from django.conf import settings

    def labels(names: list[str]) -> set[str]:
        return {name.rpartition(".")[2] for name in names}

    public_only = labels(settings.SHARED_APPS) - labels(settings.TENANT_APPS)
    tenants = labels(settings.TENANT_APPS)
    wrong = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in tenants
        for field in model._meta.concrete_fields
        if field.related_model is not None and field.related_model._meta.app_label in public_only
    ]
    assert wrong == []


def test_string_references_point_down() -> None:
    """`apps.get_model("deals", "Deal")` and "deals.Deal" hide what an import would show."""
    heights = floors()
    models = {model._meta.label: model._meta.app_label for model in apps.get_models()}
    wrong = []
    for module in code_of_apps():
        if module.app not in heights:
            continue
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value in models
                and models[node.value] != module.app
                and heights.get(models[node.value], -1) >= heights[module.app]
            ):
                wrong.append(f"{module.name}:{node.lineno}: {node.value}")
    assert wrong == []
