"""`?dry_run=true`: everything is done, looked at, and taken back."""

from typing import Any

import pytest
from django.db import connection

from shared_apps.accounts.models import User
from shared_apps.idempotency.models import IdempotencyKey
from tests.idempotency.till import sales

SALE = {"amount": "5"}


def test_shows_what_would_happen_and_leaves_nothing(
    call: Any, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    called: list[str] = []
    with django_capture_on_commit_callbacks(execute=True):
        shown = call(
            alice,
            SALE,
            key="k-1",
            query="?dry_run=true",
            afterwards=staticmethod(lambda: called.append("mail")),
        )

    assert shown.status_code == 201
    assert shown.data["amount"] == "5"
    assert shown["Dry-Run"] == "true"
    assert sales() == 0
    assert called == []
    assert not IdempotencyKey.objects.exists()


def test_does_not_use_the_key_up(call: Any, alice: User) -> None:
    call(alice, SALE, key="k-1", query="?dry_run=true")
    real = call(alice, SALE, key="k-1")

    assert real.status_code == 201
    assert "Idempotency-Replayed" not in real
    assert sales() == 1


def test_finds_what_would_fail_at_commit(call: Any, alice: User) -> None:
    def break_a_promise(row: Any) -> None:
        # Foreign keys are deferred: this one would be found out at COMMIT.
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_recoverycode"
                " (id, created_at, updated_at, user_id, code_hash)"
                " VALUES (gen_random_uuid(), now(), now(), gen_random_uuid(), 'x')"
            )

    shown = call(
        alice, SALE, key="k-1", query="?dry_run=true", during=staticmethod(break_a_promise)
    )

    assert shown.status_code >= 400
    assert sales() == 0


@pytest.mark.parametrize("value", ["1", "yes", "", "TRUE"])
def test_takes_only_true_or_false(value: str, call: Any, alice: User) -> None:
    refused = call(alice, SALE, key="k-1", query=f"?dry_run={value}")

    assert refused.status_code == 400
    assert sales() == 0


def test_is_unknown_where_no_money_moves(call: Any, alice: User) -> None:
    refused = call(alice, SALE, method="put", query="?dry_run=true")

    assert refused.status_code == 400
    assert sales() == 0


def test_demands_the_key_too(call: Any, alice: User) -> None:
    refused = call(alice, SALE, key=None, query="?dry_run=true")

    assert refused.status_code == 400
    assert refused.data["code"] == "idempotency_key_required"
    assert sales() == 0
