"""The project's own source, parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("config", "tenants", "shared_apps", "tenant_apps")


@dataclass(frozen=True)
class Module:
    path: Path
    tree: ast.Module
    text: str

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def app(self) -> str:
        parts = self.path.relative_to(ROOT).parts
        return parts[1] if parts[0] in ("shared_apps", "tenant_apps") else parts[0]

    @property
    def kind(self) -> str:
        """services, selectors, models, api, management, migrations ...: where a line lives."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        inner = parts[2:] if parts[0] in ("shared_apps", "tenant_apps") else parts[1:]
        return inner[0] if inner else ""


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            found.append(Module(path, ast.parse(text), text))
    return tuple(found)


def code_of_apps() -> Iterator[Module]:
    """Everything but migrations."""
    return (module for module in modules() if "migrations" not in module.path.parts)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an attribute chain; calls and subscripts inside it are passed over."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Subscript):
        return dotted(node.value)
    return ""
