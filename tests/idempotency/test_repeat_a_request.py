"""The same key and the same body give the first answer again."""

from typing import Any

import pytest

from shared_apps.accounts.models import User
from shared_apps.idempotency.models import IdempotencyKey
from tests.accounts.people import make_user
from tests.idempotency.till import break_down, refuse, sales

SALE = {"amount": "5"}


def test_takes_effect_once_and_answers_the_same(call: Any, alice: User) -> None:
    first = call(alice, SALE, key="k-1")
    second = call(alice, SALE, key="k-1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["ETag"] == first["ETag"]
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert sales() == 1


def test_refuses_another_body(call: Any, alice: User) -> None:
    call(alice, SALE, key="k-1")
    other = call(alice, {"amount": "6"}, key="k-1")

    assert other.status_code == 422
    assert other.data["code"] == "idempotency_key_reused"
    assert sales() == 1


def test_demands_a_key_where_money_moves(call: Any, alice: User) -> None:
    refused = call(alice, SALE)

    assert refused.status_code == 400
    assert refused.data["code"] == "idempotency_key_required"
    assert sales() == 0


@pytest.mark.parametrize("key", ["", "with space", "é", "x" * 256, "new\nline"])
def test_refuses_a_malformed_key(key: str, call: Any, alice: User) -> None:
    refused = call(alice, SALE, key=key)

    assert refused.status_code == 400
    assert refused.data["code"] == "idempotency_key_malformed"
    assert sales() == 0


def test_keeps_keys_of_two_people_apart(call: Any, alice: User) -> None:
    bob = make_user("bob@acme.example")

    assert call(alice, SALE, key="k-1").data != call(bob, SALE, key="k-1").data
    assert sales() == 2


@pytest.mark.parametrize(("fault", "status"), [(refuse, 409), (break_down, 500)])
def test_does_not_keep_a_failure(fault: Any, status: int, call: Any, alice: User) -> None:
    failed = call(alice, SALE, key="k-1", during=staticmethod(fault))
    retried = call(alice, SALE, key="k-1")

    assert (failed.status_code, retried.status_code) == (status, 201)
    assert sales() == 1


def test_undoes_a_refusal_that_is_returned(call: Any, alice: User) -> None:
    refused = call(alice, SALE, key="k-1", method="put")

    assert refused.status_code == 409
    assert sales() == 0
    assert not IdempotencyKey.objects.exists()


def test_gives_strangers_no_keys(call: Any, tenant: Any) -> None:
    call(None, SALE, key="k-1")
    call(None, SALE, key="k-1")

    assert sales() == 2
    assert not IdempotencyKey.objects.exists()


def test_never_frees_a_key_that_moved_money(call: Any, alice: User) -> None:
    call(alice, SALE, key="k-1")
    assert IdempotencyKey.objects.get().moved_money


def test_leaves_reading_alone(call: Any, alice: User) -> None:
    assert call(alice, method="get", key="k-1").status_code == 200
    assert not IdempotencyKey.objects.exists()
