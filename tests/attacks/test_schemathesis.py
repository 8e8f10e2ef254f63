"""As each role, every operation answers as the document says, whatever the document lets in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from shared_apps.kernel.api.throttling import RateLimit
from tenants.context import tenant_context
from tests.attacks.documented import (
    ROLES,
    SEED,
    DocumentedWorld,
    described_api,
    headers_of,
    undone,
)

pytestmark = pytest.mark.slow

# Headers that nobody declared are none of the API's business.
INVENTED = "x-schemathesis-unknown-property"
# What is said when only the database noticed that a value is wrong.
PASSED_ON = b"A value is outside what can be stored."
CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    allow_header_conformance,
    unsupported_method,
    missing_required_header,
    negative_data_rejection,
]


class Examiner:
    """Sends what schemathesis makes of the document, and notes each kind of failure once."""

    def __init__(self, organization: Any) -> None:
        self.organization = organization
        with tenant_context(organization):
            self.world = DocumentedWorld()
        self.failures: dict[tuple[str, ...], str] = {}
        self.answers = 0

    def examine(self, role: str, *, modes: list[HypothesisTestMode], examples: int) -> None:
        with tenant_context(self.organization):
            person = self.world.caller(role)
            api = described_api()
        quiet = settings(
            max_examples=examples,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            deadline=None,
            database=None,
        )
        for found in api.get_all_operations():
            operation = found.ok()
            if operation.path.startswith("/api/health/"):
                # Answered before the API: not ready is 503 here, where no worker runs.
                continue
            # A token lives for minutes, so each operation has its own.
            with tenant_context(self.organization):
                headers = headers_of(person)
            config = HypothesisTestConfig(
                project=api.config, modes=modes, settings=quiet, seed=SEED, apply_ci_profile=False
            )
            create_test(operation=operation, test_func=self._sender(role, headers), config=config)()

    def _sender(self, role: str, headers: dict[str, str]) -> Callable[..., None]:
        def send(case: Any) -> None:
            self.world.aim(case)
            try:
                with undone(self.organization):
                    response = case.call(headers=headers)
                if INVENTED not in (case.headers or {}):
                    case.validate_response(response, checks=CHECKS, headers=headers)
                if PASSED_ON in response.content:
                    place = (case.method, case.path, "the database had to refuse it")
                    self.failures.setdefault(place, f"{place}: {str(case.body)[:500]}")
            except FailureGroup as group:
                for failure in group.exceptions:
                    kind = f"{type(failure).__name__}: {failure.title}"
                    place = (case.method, case.path, kind)
                    self.failures.setdefault(place, f"as {role}: {failure}\n{group.message}")
            self.answers += 1

        return send


@pytest.fixture
def examiner(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> Examiner:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)
    return Examiner(tenant)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_gets_an_answer_outside_the_document(examiner: Examiner, role: str) -> None:
    examiner.examine(role, modes=[HypothesisTestMode.FUZZING], examples=6)
    assert examiner.failures == {}, "\n\n".join(examiner.failures.values())


def test_no_bound_of_the_document_is_crossed(examiner: Examiner) -> None:
    examiner.examine("everybody", modes=[HypothesisTestMode.COVERAGE], examples=1)
    assert examiner.failures == {}, "\n\n".join(examiner.failures.values())
