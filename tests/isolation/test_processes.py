"""Real servers and real workers work for two organizations at once, and mix nothing up.

A web server of several processes and threads and a worker with its scheduler serve both neighbours
on one database. Then every answer, mail, stored file, log line and row is searched for marks.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from scripts.processes import free_port, listens
from scripts.serving import command
from scripts.talking import Answer, Caller
from shared_apps.delivery.models import Mail
from shared_apps.documents.models import Document
from shared_apps.outbox.models import OutboxMessage
from tenants.context import tenant_context
from tenants.models import Organization
from tests import databases
from tests.documents.files import PDF
from tests.isolation.story import mark_of, tell
from tests.isolation.test_marks import HOSTS

pytestmark = pytest.mark.slow

LISTS = ("deals", "clients", "payments", "invoices", "users", "teams", "audit-entries", "products")
ROUNDS = 12


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Both organizations, who asks in each, and where the processes leave what they leave."""

    organizations: list[Organization]
    tokens: dict[str, dict[str, str]]
    port: int
    state: Path

    def caller(self, organization: Organization, role: str) -> Caller:
        schema = organization.schema_name
        return Caller(host=HOSTS[schema], port=self.port, token=self.tokens[schema][role])

    def other(self, organization: Organization) -> Organization:
        return next(one for one in self.organizations if one.id != organization.id)


@contextmanager
def running(arguments: list[str], *, environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments,
            env=environment,
            cwd=databases.ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(40)


def until(condition: Any, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.25)
    return False


@pytest.fixture
def neighbours(real_commits: Organization, tmp_path: Path) -> Iterator[Neighbours]:
    from tests.conftest import _organization

    both = [real_commits, _organization("neighbour")]
    tokens = {each.schema_name: tell(each) for each in both}
    environment = {
        **databases.environment_for(connection.settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STATE_DIR": str(tmp_path),
        "STORAGE_URL": (tmp_path / "files").as_uri(),
        "EMAIL_URL": "",
        "LOG_LEVEL": "DEBUG",
        "REDIS_PREFIX": f"{os.environ['REDIS_PREFIX']}:processes",
        # Nobody signs up here.
        "SPARE_SCHEMAS": "0",
        "WEB_WORKERS": "2",
        "WEB_THREADS": "4",
    }
    port = free_port()
    web = command("web", python=sys.executable, host="127.0.0.1", port=port, settings=environment)
    worker = command("worker", python=sys.executable, host="", port=0, settings=environment)
    # One process for both: what it remembers of the one would show in the other.
    worker += ["--concurrency", "1", "--beat", "--schedule", str(tmp_path / "schedule")]
    with (
        running(web, environment=environment, log=tmp_path / "web.log"),
        running(worker, environment=environment, log=tmp_path / "worker.log"),
    ):
        assert until(lambda: listens(port), seconds=60), (tmp_path / "web.log").read_text()
        yield Neighbours(organizations=both, tokens=tokens, port=port, state=tmp_path)


def ask_everything(told: Neighbours, organization: Organization) -> list[Answer]:
    """What people of one organization read and write, while the neighbour's do the same."""
    mark = mark_of(organization)
    admin, seller = (told.caller(organization, role) for role in ("admin", "salesperson"))
    answers = [admin.ask("GET", f"/api/v1/{name}/") for name in LISTS]
    number = random.randrange(10**9)
    client = seller.ask("POST", "/api/v1/clients/", {"name": f"Fresh {number} {mark}"})
    assert client.status == 201, client.content
    answers.append(client)
    answers.append(seller.ask("GET", f"/api/v1/clients/{client.data['id']}/"))
    answers.append(seller.ask("GET", "/api/v1/profile/"))
    return answers


def store_files(told: Neighbours, organization: Organization) -> list[Answer]:
    """A proof that was uploaded, an invoice that was printed, and both read back."""
    mark = mark_of(organization)
    seller = told.caller(organization, "salesperson")
    (pending,) = (
        row["id"] for row in seller.ask("GET", "/api/v1/payments/?state=pending").data["results"]
    )
    proof = PDF.replace(b"1 0 obj", b"% " + mark.encode() + b"\n1 0 obj")
    sent = seller.ask(
        "POST",
        f"/api/v1/payments/{pending}/proof/",
        key=f"proof-{mark}",
        upload=("proof.pdf", proof, "application/pdf"),
    )
    assert sent.status == 201, sent.content
    read = seller.ask("GET", str(sent.data["proof"]["link"]))
    assert mark.encode() in read.content
    (invoice,) = seller.ask("GET", "/api/v1/invoices/").data["results"]
    printed = seller.ask("GET", f"/api/v1/invoices/{invoice['id']}/pdf/")
    assert printed.status < 400, printed.content
    return [sent, read, printed]


def test_processes_that_serve_both_mix_nothing_up(neighbours: Neighbours) -> None:
    told = neighbours
    turns = [each for each in told.organizations for _ in range(ROUNDS)]
    random.shuffle(turns)
    with ThreadPoolExecutor(8) as people:
        asked = list(people.map(lambda one: (one, ask_everything(told, one)), turns))
        asked += list(people.map(lambda one: (one, store_files(told, one)), told.organizations))
    seen_own = 0
    for organization, answers in asked:
        foreign = mark_of(told.other(organization))
        for answer in answers:
            assert answer.status < 400, answer.content[:300]
            assert foreign.encode() not in answer.content
            assert foreign not in str(answer.headers)
            seen_own += mark_of(organization).encode() in answer.content
    assert seen_own > len(turns) * 6

    for organization in told.organizations:
        assert until(lambda one=organization: everything_left(one), seconds=90), (
            told.state / "worker.log"
        ).read_text()[-3000:]
    mails = [message_from_bytes(file.read_bytes()) for file in (told.state / "mail").glob("*.eml")]
    for organization in told.organizations:
        assert_mails_of_one(mails, told, organization)
        assert_files_of_one(told, organization)
        assert_rows_of_one(told, organization)
        for log in ("web.log", "worker.log"):
            # A log line names ids, never texts.
            assert mark_of(organization) not in (told.state / log).read_text(), log
    assert "consumer_failed" not in (told.state / "worker.log").read_text()


def everything_left(organization: Organization) -> bool:
    """Whether relay and mail have nothing more to do there."""
    with tenant_context(organization):
        return not (
            OutboxMessage.objects.open().exists() or Mail.objects.exclude(state="sent").exists()
        )


def text_of(mail: Message) -> str:
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    bodies = [part.decode() for part in parts if isinstance(part, bytes)]
    return "\n".join([*bodies, *(f"{name}: {value}" for name, value in mail.items())])


def assert_mails_of_one(mails: list[Message], told: Neighbours, organization: Organization) -> None:
    own, foreign = mark_of(organization), mark_of(told.other(organization))
    received = [mail for mail in mails if f"@{own}.example" in str(mail["To"])]
    # Of the payment that was verified and of the one that was rejected, at least.
    assert len(received) >= 2
    for mail in received:
        assert foreign not in text_of(mail)
        assert told.other(organization).name not in text_of(mail)
        assert own in text_of(mail)
    assert len({mail["Message-ID"] for mail in mails}) == len(mails)


def assert_files_of_one(told: Neighbours, organization: Organization) -> None:
    own, foreign = mark_of(organization), mark_of(told.other(organization))
    with tenant_context(organization):
        documents = list(Document.objects.all())
    assert len(documents) >= 2
    contents = []
    for document in documents:
        assert str(organization.id) in document.storage_path
        contents.append((told.state / "files" / document.storage_path).read_bytes())
    assert any(own.encode() in content for content in contents)
    assert not any(foreign.encode() in content for content in contents)


def assert_rows_of_one(told: Neighbours, organization: Organization) -> None:
    foreign = mark_of(told.other(organization))
    with tenant_context(organization), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind = 'r'"
        )
        tables = [row[0] for row in cursor.fetchall()]
        assert len(tables) > len(list(apps.get_app_configs()))
        for table in tables:
            cursor.execute(
                f'SELECT count(*) FROM "{table}" AS rows WHERE rows::text LIKE %s',
                [f"%{foreign}%"],
            )
            assert cursor.fetchone() == (0,), table
