"""Ids that are ordered, derived or secret."""

import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.ids import random_token, request_hash, uuid7, uuid8_from

parts = st.lists(st.one_of(st.text(), st.integers(), st.uuids()), min_size=1, max_size=4)


def test_orders_ids_by_their_making() -> None:
    made = [uuid7() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_says_version_and_variant() -> None:
    for made, version in ((uuid7(), 7), (uuid8_from("a"), 8)):
        assert made.version == version
        assert made.variant == RFC_4122


def test_carries_the_time_of_its_making() -> None:
    milliseconds = uuid7().int >> 80
    assert abs(milliseconds - time.time() * 1000) < 2000


def test_repeats_no_id_in_several_threads() -> None:
    made: list[UUID] = []
    threads = [
        threading.Thread(target=lambda: made.extend([uuid7() for _ in range(2000)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000


def test_derives_the_same_id_for_ever() -> None:
    derived = uuid8_from("ledger", UUID(int=7), 42)
    assert derived == UUID("3af89438-b162-8e02-a1ac-033ca61afc40")


def test_tells_parts_apart_by_type_and_border() -> None:
    number = UUID(int=1)
    ids = [
        uuid8_from("ab", "c"),
        uuid8_from("a", "bc"),
        uuid8_from("abc"),
        uuid8_from(1),
        uuid8_from("1"),
        uuid8_from(number),
        uuid8_from(str(number)),
    ]
    assert len(set(ids)) == len(ids)


@given(parts, parts)
def test_derives_different_ids_from_different_parts(
    one: list[str | int | UUID], other: list[str | int | UUID]
) -> None:
    same = [(type(part), part) for part in one] == [(type(part), part) for part in other]
    assert (uuid8_from(*one) == uuid8_from(*other)) is same


@pytest.mark.parametrize("part", [1.0, None, True, b"x", ("a",)])
def test_derives_nothing_from_other_types(part: object) -> None:
    with pytest.raises(TypeError):
        uuid8_from(part)  # type: ignore[arg-type]


def test_derives_nothing_from_nothing() -> None:
    with pytest.raises(ValueError):
        uuid8_from()


def test_hashes_equal_content_alike() -> None:
    one = {"b": [1, {"y": None, "x": "é"}], "a": UUID(int=1), "on": date(2026, 1, 2)}
    other = {
        "on": "2026-01-02",
        "a": str(UUID(int=1)),
        "b": [1, {"x": "é", "y": None}],
    }
    assert request_hash(one) == request_hash(other)
    assert request_hash(one) != request_hash({**one, "b": [1, {"y": None, "x": "e"}]})
    assert len(request_hash({})) == 64


def test_hashes_what_a_body_may_hold() -> None:
    request_hash({"half a character": "\ud800", "amount": Decimal("1.50"), "n": 1.5})
    request_hash({"at": datetime(2026, 1, 1, tzinfo=UTC)})


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, b"x"])
def test_hashes_nothing_that_has_no_json(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        request_hash({"value": value})


def test_makes_tokens_that_cannot_be_guessed() -> None:
    assert len({random_token() for _ in range(100)}) == 100
    assert len(random_token()) >= 43
    with pytest.raises(ValueError):
        random_token(bits=64)
