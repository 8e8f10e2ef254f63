"""Rules of the house that a reader would otherwise have to remember."""

import ast
import re

import pytest

from tests.architecture.source import Module, code_of_apps, dotted

WRITES = {
    "create",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
    "update",
    "delete",
}
# Only these write rows. `tenants` is the floor of schemas themselves; commands and tasks call
# services like everybody else.
WRITERS = {"services", "seeds", "provisioning", "history", "fleet", "registry", "relay", "rollups"}

BANNED = {
    r"\btimezone\.now\(": "the clock is kernel.clock",
    r"\bdatetime\.(utc)?now\(": "the clock is kernel.clock",
    r"\bdate\.today\(": "the clock is kernel.clock",
    r"connection\.connection\b": "a raw connection has any search path",
    r"fields\s*=\s*[\"']__all__[\"']": "fields are named",
    r"X-Forwarded-Host": "not trusted",
    r"\bfrom django_tenants\.utils import .*(tenant_context|schema_context)": "use tenants.context",
    r"\bContentType\.objects\.clear_cache": "the cache is keyed by schema",
    r"\bon_delete=models\.CASCADE\b.*# money": "",
}
ALLOWED = {
    ("shared_apps/kernel/clock.py", r"\bdatetime\.(utc)?now\("),
    ("shared_apps/kernel/clock.py", r"\btimezone\.now\("),
}


@pytest.mark.parametrize("pattern", list(BANNED))
def test_nothing_banned_is_called(pattern: str) -> None:
    found = [
        f"{module.name}:{number}: {line.strip()}"
        for module in code_of_apps()
        if (module.name, pattern) not in ALLOWED
        for number, line in enumerate(module.text.splitlines(), start=1)
        if re.search(pattern, line) and not line.lstrip().startswith(("#", '"'))
    ]
    # The database wrapper is the connection: it alone looks inside itself.
    found = [line for line in found if not line.startswith("tenants/database/base.py")]
    assert found == [], BANNED[pattern]


def test_only_services_write_rows() -> None:
    found = []
    for module in code_of_apps():
        if module.kind in WRITERS or module.app in {"tenants", "kernel"}:
            continue
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in WRITES
                and ".objects" in dotted(node.func.value)
            ):
                found.append(f"{module.name}:{node.lineno}: {dotted(node.func)}")
    assert found == []


def test_no_tenant_is_entered_by_the_librarys_door() -> None:
    found = []
    for module in code_of_apps():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.With):
                for item in node.items:
                    if isinstance(item.context_expr, ast.Name | ast.Attribute) and re.search(
                        r"(tenant|organization|neighbour)$", dotted(item.context_expr)
                    ):
                        found.append(f"{module.name}:{node.lineno}")
    assert found == []


# Asking for a signature, giving and refusing one are recorded by the floor of approvals.
_RECORDS = re.compile(
    r"record(_all)?\(|submit(_all)?\(|_recorded\(|(sign|reject|recall)_requests?\("
)


def _is_step(function: ast.FunctionDef) -> bool:
    return any(dotted(decorator).endswith("step") for decorator in function.decorator_list)


def _services() -> list[tuple[Module, ast.FunctionDef]]:
    below_audit = {"kernel", "tenants", "reference", "plans", "usage", "outbox", "audit"}
    found = []
    for module in code_of_apps():
        if module.kind != "services" or module.app in below_audit:
            continue
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found.append((module, node))
    return found


def _with_delegates(module: Module, function: ast.FunctionDef) -> str:
    """The operation's text, and that of the functions beside it which it calls."""
    beside = {node.name: node for node in module.tree.body if isinstance(node, ast.FunctionDef)}
    waiting, reached = [function.name], set[str]()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        calls = (node for node in ast.walk(beside[name]) if isinstance(node, ast.Call))
        waiting += [call.func.id for call in calls if getattr(call.func, "id", "") in beside]
    return "\n".join(ast.get_source_segment(module.text, beside[name]) or "" for name in reached)


def test_every_operation_takes_an_actor_requires_and_records() -> None:
    found = []
    for module, function in _services():
        if _is_step(function):
            continue
        source = _with_delegates(module, function)
        arguments = {argument.arg for argument in function.args.kwonlyargs}
        missing = [
            word
            for word, there in {
                "an actor": "actor" in arguments,
                "a requirement": "require" in source,
                "a record": _RECORDS.search(source),
            }.items()
            if not there
        ]
        if missing:
            found.append(f"{module.name}:{function.lineno} {function.name}: {', '.join(missing)}")
    assert found == [], "an operation, or declared a @step (shared_apps.kernel.operations)"


def test_public_services_are_keyword_only() -> None:
    found = [
        f"{module.name}:{function.lineno} {function.name}"
        for module, function in _services()
        if function.args.args or function.args.posonlyargs
    ]
    assert found == []


def test_modules_stay_readable() -> None:
    found = [
        f"{module.name}: {lines} lines"
        for module in code_of_apps()
        if (lines := module.text.count("\n")) > 420
    ]
    assert found == []


def test_business_rules_do_not_hide_in_save_or_signals() -> None:
    found = []
    for module in code_of_apps():
        # auditlog's own rows get our actor and clock when they are written: no business rule.
        if module.app in {"tenants", "kernel"} or module.name == "shared_apps/audit/subscribers.py":
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef) and node.name == "save":
                found.append(f"{module.name}:{node.lineno}: save()")
        if re.search(r"\bdb\.models\.signals\b|\b(post|pre)_(save|delete)\.connect", module.text):
            found.append(f"{module.name}: signals")
    assert found == []
