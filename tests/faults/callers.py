"""Callers over HTTP who insist: the same request under the same key until there is an answer."""

from __future__ import annotations

import http.client
import json
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.plans import Plan, Step, Story
from tests.faults.stage import DAY, Stage

HOST = "acme.kontor.test"
PATIENCE_SECONDS = 40.0
# What says "not now": the same request again is the right thing to do.
_AGAIN = {429, 502, 503, 504}
_RUNNING = {"idempotency_request_running", "conflict"}
# Between the same people two names are one seller's.
MAILS = {
    "sita": "sita@acme.example",
    "seth": "seth@acme.example",
    "wanda": "wanda@acme.example",
    "olga": "olga@acme.test",
    "vera": "vera@acme.test",
    "sam": "sam@acme.test",
    "ada": "ada@acme.test",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back once and for all: a success or a refusal."""

    status: int
    body: dict[str, Any]
    replayed: bool

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Record:
    """Everything that was answered under one key."""

    step: Step
    answers: list[Answer] = field(default_factory=list)

    @property
    def done(self) -> Answer | None:
        """The first success."""
        return next((answer for answer in self.answers if answer.is_success), None)


class Callers:
    """All who ask in one round, and what they were told."""

    def __init__(
        self, plan: Plan, stage: Stage, *, port: int, fresh_token: Callable[[str], str]
    ) -> None:
        self.plan, self.stage, self.port = plan, stage, port
        self.records: dict[str, Record] = {}
        self.wrong: list[str] = []
        self.disturbances = 0
        self._fresh_token = fresh_token
        self._lock = threading.Lock()
        for stories in plan.stories:
            for story in stories:
                for step in story.steps:
                    self.records[step.key] = Record(step)

    def run(self, *, again: bool = False) -> None:
        """Tell every story; each caller has a thread. `again` repeats every request, one by one."""
        threads = [
            threading.Thread(target=self._tell, args=(stories, again))
            for stories in self.plan.stories
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _tell(self, stories: tuple[Story, ...], again: bool) -> None:
        line = _Line(self.port)
        for story in stories:
            told: list[str | None] = []
            for step in story.steps:
                told.append(self._do(line, step, told, twice=story.twice and not again))
        line.hang_up()

    def _do(self, line: _Line, step: Step, told: list[str | None], *, twice: bool) -> str | None:
        """Ask; answer the id that came of it, None where nothing did."""
        names = self._names(told)
        try:
            path = _filled(step.path, names)
            body = json.loads(_filled(json.dumps(step.body), names))
        except KeyError:
            # An earlier step was refused; there is nothing to speak of.
            return None
        other: threading.Thread | None = None
        if twice:
            other = threading.Thread(target=self._beside, args=(step, path, body))
            other.start()
        answer = self._insist(line, step, path, body)
        if other is not None:
            other.join()
        found = self.records[step.key].done or answer
        return str(found.body.get("id")) if found and found.is_success else None

    def _beside(self, step: Step, path: str, body: Any) -> None:
        line = _Line(self.port)
        self._insist(line, step, path, body)
        line.hang_up()

    def _names(self, told: list[str | None]) -> dict[str, str]:
        stage = self.stage
        return {
            "day": DAY.isoformat(),
            **{f"client{number}": pk for number, pk in enumerate(stage.clients)},
            **{f"wallet {name}": pk for name, pk in stage.wallets.items()},
            **{f"seller {name}": text for name, text in stage.seller_references.items()},
            **{f"step{number}": pk for number, pk in enumerate(told) if pk},
        }

    def _insist(self, line: _Line, step: Step, path: str, body: Any) -> Answer | None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        said = "nothing"
        while time.monotonic() < deadline:
            mail = MAILS[step.who]
            try:
                answer = line.ask(path, body, key=step.key, token=self.stage.tokens[mail])
            except (OSError, http.client.HTTPException, ValueError) as problem:
                said = repr(problem)
                line.hang_up()
            else:
                code = str(answer.body.get("code", ""))
                said = f"{answer.status} {code}"
                if answer.status == 401:
                    self.stage.tokens[mail] = self._fresh_token(mail)
                elif answer.status not in _AGAIN and code not in _RUNNING:
                    return self._note(step, answer)
            with self._lock:
                self.disturbances += 1
            time.sleep(random.uniform(0.05, 0.3))
        with self._lock:
            self.wrong.append(f"{step.key} {step.kind}: no answer in time, at last {said}")
        return None

    def _note(self, step: Step, answer: Answer) -> Answer:
        with self._lock:
            self.records[step.key].answers.append(answer)
            if answer.status >= 500:
                self.wrong.append(f"{step.key} {step.kind}: {answer.status} {answer.body}")
        return answer


def _filled(text: str, names: dict[str, str]) -> str:
    """The text with every `{name}` replaced.

    :raises KeyError: a name stands for nothing.
    """
    return re.sub(r"\{([a-z]+[0-9 ]?[a-z]*)\}", lambda found: names[found[1]], text)


class _Line:
    """A connection that is kept alive, and made anew where it broke."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, path: str, body: Any, *, key: str, token: str) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self._connection.request(
            "POST",
            f"/api/v1/{path}",
            json.dumps(body),
            {
                "Host": HOST,
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            },
        )
        response = self._connection.getresponse()
        content = response.read()
        return Answer(
            status=response.status,
            body=json.loads(content),
            replayed="Idempotency-Replayed" in response.headers,
        )

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
