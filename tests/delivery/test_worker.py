"""A real worker, called by a real commit."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from shared_apps.delivery.models import Mail, MailState
from shared_apps.delivery.services import send_mail
from shared_apps.outbox import waking
from tenants.context import no_tenant_context, tenant_context
from tests import databases

pytestmark = pytest.mark.slow


@pytest.fixture
def worker(real_commits: Any, tmp_path: Path) -> Iterator[Path]:
    """The folder into which a worker on this test's database puts mails."""
    environment = {
        **databases.environment_for(connection.settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STATE_DIR": str(tmp_path),
        "EMAIL_URL": "",
        "REDIS_PREFIX": os.environ["REDIS_PREFIX"],
    }
    program = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-c", "1"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*program, "--without-gossip", "--without-mingle", "-l", "INFO"],
            env=environment,
            cwd=databases.ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield tmp_path / "mail"
        finally:
            process.terminate()
            process.wait(30)


def until(condition: Any, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_a_commit_has_the_worker_send_the_mail_of_its_organization(
    worker: Path, real_commits: Any
) -> None:
    waking.call_is_taken("mail")
    with transaction.atomic():
        mail = send_mail(to="asha@example.com", template="worker", context={"name": "Asha"})

    assert until(lambda: list(worker.glob("*.eml")), seconds=60), "no mail came"
    assert until(lambda: Mail.objects.get(pk=mail.pk).state == MailState.SENT, seconds=10), (
        "the mail was not marked"
    )
    with no_tenant_context(), tenant_context(real_commits):
        assert Mail.objects.filter(state=MailState.QUEUED).count() == 0
