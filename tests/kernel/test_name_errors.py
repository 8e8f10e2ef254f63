"""Expected failures, their places and their catalogue."""

import re
from io import StringIO

import pytest
from django.core.management import call_command

from shared_apps.kernel.error_pages import errors_page
from shared_apps.kernel.errors import (
    BadInput,
    Conflict,
    DependencyDown,
    DomainError,
    FieldError,
    TooManyRequests,
    catalog,
    pointer_to,
)


class AlreadyDone(Conflict):
    code = "kerneltest_already_done"
    title = "It was done before."


class AlreadyDoneTwice(AlreadyDone):
    """Only tells more; callers see the same code."""


@pytest.fixture(autouse=True)
def _all_declared() -> None:
    errors_page()


def test_points_to_places_in_a_body() -> None:
    assert pointer_to() == ""
    assert pointer_to("lines", 0, "amount") == "/lines/0/amount"
    assert pointer_to("a/b", "m~n", "x.y") == "/a~1b/m~0n/x.y"


def test_speaks_its_title_when_nothing_is_said() -> None:
    assert AlreadyDone().detail == "It was done before."
    assert str(AlreadyDone("By Bob.")) == "By Bob."


def test_says_what_to_do_where_nothing_else_is_said() -> None:
    class Spent(Conflict):
        code = "spent"
        title = "It is spent."
        advice = "Take another one."

    assert (Spent().detail, str(Spent())) == ("Take another one.", "Take another one.")
    assert Spent("Bob had it.").detail == "Bob had it."


def test_names_one_wrong_field() -> None:
    error = BadInput.field("lines", 0, detail="Too many.", code="max_length")
    assert error.errors == [FieldError(code="max_length", detail="Too many.", pointer="/lines/0")]
    assert "/lines/0" in str(error)


def test_says_when_to_come_back() -> None:
    assert DependencyDown().retry_after == 5
    assert TooManyRequests(retry_after=30).retry_after == 30
    assert AlreadyDone().retry_after is None


def test_lists_each_code_once_with_one_meaning() -> None:
    listed = [error for error in catalog() if not error.__module__.startswith("tests.")]
    codes = [error.code for error in listed]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    assert twice == []
    assert AlreadyDone in catalog()
    assert AlreadyDoneTwice not in catalog()


def test_every_code_is_stable_text_with_a_title_and_a_status() -> None:
    for error in catalog():
        assert re.fullmatch(r"[a-z][a-z0-9_]{2,59}", error.code), error
        assert 400 <= error.status < 600, error
        assert error.title, error
        assert issubclass(error, DomainError)


def test_the_page_of_errors_is_current() -> None:
    call_command("document_errors", "--check", stdout=StringIO())
