from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from shared_apps.audit.services import record
from shared_apps.kernel import clock
from shared_apps.outbox.models import OutboxMessage
from tests.audit.news import SUBJECT, TeaServed, a_person


def shown(*arguments: str) -> str:
    out = StringIO()
    call_command("show_backlog", *arguments, stdout=out)
    return out.getvalue()


def test_shows_what_was_given_up_and_tries_it_again_when_told(tenant: Any) -> None:
    record(TeaServed(subject_id=SUBJECT), actor=a_person())
    OutboxMessage.objects.open().update(failed_at=clock.now(), last_error="cook: KitchenBusy")

    text = shown("--organization", "acme")
    assert "Acme Trading: 0 waiting, 0 of them failing, 1 given up" in text
    assert "kitchen.tea_served: cook: KitchenBusy" in text
    assert "trying 1 again" in shown("--organization", "acme", "--retry")
    assert "1 waiting, 1 of them failing, 0 given up" in shown("--organization", "acme")


def test_goes_through_the_platform_and_every_organization(tenant: Any) -> None:
    text = shown()
    for name in ("platform", "Acme Trading", "Neighbour Stores"):
        assert f"{name}: " in text


def test_says_so_when_nobody_answers(tenant: Any) -> None:
    with pytest.raises(CommandError, match="nobody answers"):
        shown("--organization", "nobody")
