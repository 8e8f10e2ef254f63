"""Redis gone: acts go on as always, news waits in the database and is delivered later."""

import os
import subprocess
import sys
from typing import Any

from django.db import connection

from shared_apps.outbox.models import OutboxMessage
from shared_apps.outbox.relay import relay_due
from tests import databases
from tests.audit.news import KettleBoiled
from tests.outbox.consumers import consuming

_PROGRAM = """
import django
django.setup()
FIRST
import time
from django.db import transaction
from shared_apps.audit.services import record
from tenants.context import tenant_context
from tenants.selectors import organization_by_subdomain
from tests.audit.news import SUBJECT, KettleBoiled, a_person
with tenant_context(organization_by_subdomain("acme")):
    begun = time.monotonic()
    for _ in range(3):
        with transaction.atomic():
            record(KettleBoiled(subject_id=SUBJECT), actor=a_person())
    print(time.monotonic() - begun)
"""


def act_without_redis(address: str, *, first: str = "") -> float:
    """Seconds that three acts take in a process whose Redis is at `address`."""
    name = connection.settings_dict["NAME"]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.replace("FIRST", first)],
        env={
            **databases.environment_for(name),
            "REDIS_URL": address,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        },
        cwd=databases.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


def test_nothing_is_lost_only_late(real_commits: Any) -> None:
    assert act_without_redis("redis://127.0.0.1:1/0") < 3

    told: list[Any] = []
    assert OutboxMessage.objects.open().count() == 3
    with consuming("cook", KettleBoiled, told.append):
        relay_due()
    assert len(told) == 3


def test_a_broker_that_is_gone_while_the_cache_answers_holds_nobody_up(real_commits: Any) -> None:
    """The flag is set, so the call is really sent: publishing must give up at once."""
    broken = "from config.celery import app; app.conf.broker_url = 'redis://127.0.0.1:1/0'"
    assert act_without_redis(os.environ["REDIS_URL"], first=broken) < 3
    assert OutboxMessage.objects.open().count() == 3
