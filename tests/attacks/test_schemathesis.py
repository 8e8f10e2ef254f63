"""As each role, every operation answers as the document says, whatever the document lets in."""

from __future__ import annotations

from collections import Counter
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
from tenants.context import platform_context, tenant_context
from tests.attacks.documented import (
    HOST,
    PUBLIC_HOST,
    ROLES,
    SEED,
    DocumentedWorld,
    Place,
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
]
# Only where schemathesis says exactly which bound it crossed: what it invents at random may be
# within them after all, as a long text is once the blanks around it are cut.
STRICT = [*CHECKS, negative_data_rejection]


class Examiner:
    """Sends what schemathesis makes of the document, and notes each kind of failure once."""

    def __init__(self, place: Place, *, host: str = HOST) -> None:
        self.place = place
        self.host = host
        self.failures: dict[tuple[str, ...], str] = {}
        self.statuses: Counter[int] = Counter()

    def examine(
        self,
        mode: HypothesisTestMode,
        *,
        headers: Callable[[], dict[str, str]],
        aim: Callable[[Any], None] = lambda case: None,
        examples: int = 1,
        checks: Any = CHECKS,
    ) -> None:
        with self.place():
            api = described_api(self.host)
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
            with self.place():
                send = self._sender(headers(), aim, checks)
            config = HypothesisTestConfig(
                project=api.config, modes=[mode], settings=quiet, seed=SEED, apply_ci_profile=False
            )
            create_test(operation=operation, test_func=send, config=config)()

    def _sender(
        self, headers: dict[str, str], aim: Callable[[Any], None], checks: Any
    ) -> Callable[..., None]:
        def send(case: Any) -> None:
            aim(case)
            with undone(self.place):
                response = case.call(headers=headers)
            self.statuses[response.status_code] += 1
            if PASSED_ON in response.content:
                self._note(case, "the database had to refuse it", str(case.body)[:500])
            if INVENTED in (case.headers or {}):
                return
            # Of a form schemathesis cannot tell which field it spoiled.
            told = CHECKS if case.media_type == "multipart/form-data" else checks
            try:
                case.validate_response(response, checks=told, headers=headers)
            except FailureGroup as group:
                for failure in group.exceptions:
                    kind = f"{type(failure).__name__}: {failure.title}"
                    self._note(case, kind, f"{failure}\n{group.message}")

        return send

    def _note(self, case: Any, kind: str, told: str) -> None:
        self.failures.setdefault((case.method, case.path, kind), told)

    def conclude(self) -> None:
        # Answers of every kind came: it was neither turned away at the door nor let through.
        assert self.statuses[400]
        assert sum(self.statuses[status] for status in (200, 201, 204))
        faults = [f"{' '.join(place)}: {text}" for place, text in self.failures.items()]
        assert faults == [], "\n\n".join(faults)


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)


@pytest.fixture
def world(tenant: Any) -> DocumentedWorld:
    return DocumentedWorld()


@pytest.mark.parametrize("role", ROLES)
def test_no_role_gets_an_answer_outside_the_document(
    world: DocumentedWorld, tenant: Any, role: str
) -> None:
    person = world.caller(role)
    examiner = Examiner(lambda: tenant_context(tenant))
    examiner.examine(
        HypothesisTestMode.FUZZING,
        headers=lambda: headers_of(person),
        aim=world.aim,
        examples=6,
    )
    examiner.conclude()


def test_no_bound_of_the_document_is_crossed(world: DocumentedWorld, tenant: Any) -> None:
    person = world.caller("everybody")
    examiner = Examiner(lambda: tenant_context(tenant))
    examiner.examine(
        HypothesisTestMode.COVERAGE,
        headers=lambda: headers_of(person),
        aim=world.aim,
        checks=STRICT,
    )
    examiner.conclude()


@pytest.mark.parametrize("mode", [HypothesisTestMode.FUZZING, HypothesisTestMode.COVERAGE])
def test_the_platform_answers_strangers_as_its_document_says(
    platform: None, mode: HypothesisTestMode
) -> None:
    examiner = Examiner(lambda: platform_context(reason="test"), host=PUBLIC_HOST)
    checks = STRICT if mode is HypothesisTestMode.COVERAGE else CHECKS
    examiner.examine(mode, headers=lambda: {"Host": PUBLIC_HOST}, examples=10, checks=checks)
    examiner.conclude()
