"""Logs tell what happened, and no secret."""

import json
import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from shared_apps.kernel.logging import logging_settings, mask_secrets, report_without_secrets


def test_masks_values_under_telling_names() -> None:
    event = {
        "event": "signed in",
        "password": "x",
        "refresh_token": "x",
        "Authorization": "x",
        "recovery_code": "x",
        "user": "alice",
        "body": {"new_password": "x", "name": "Bob"},
        "people": [{"name": "Ann", "keys": [{"token": "x"}]}, "/live/?ticket=x"],
    }
    masked = mask_secrets(None, "info", event)
    assert masked == {
        "event": "signed in",
        "password": "***",
        "refresh_token": "***",
        "Authorization": "***",
        "recovery_code": "***",
        "user": "alice",
        "body": {"new_password": "***", "name": "Bob"},
        "people": [{"name": "Ann", "keys": [{"token": "***"}]}, "/live/?ticket=***"],
    }


@contextmanager
def our_logging() -> Iterator[None]:
    """Logging as the product sets it up; afterwards it is as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        logging.config.dictConfig(logging_settings(level="INFO"))
        yield
    finally:
        structlog.contextvars.clear_contextvars()
        root.handlers, root.level = handlers, level


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_writes_lines_of_json_with_the_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    with our_logging():
        structlog.contextvars.bind_contextvars(request_id="abcdefgh")
        structlog.get_logger("kerneltest").info("paid", amount="1.00", token="x")
        logging.getLogger("kerneltest").warning("plain %s", "words", extra={"token": "x"})
    ours, plain = lines_of(capsys)
    assert (ours["event"], ours["amount"], ours["token"]) == ("paid", "1.00", "***")
    assert (plain["event"], plain["token"]) == ("plain words", "***")
    assert ours["request_id"] == plain["request_id"] == "abcdefgh"
    assert ours["level"] == "info"
    assert plain["logger"] == "kerneltest"


@pytest.mark.parametrize(
    ("logged", "written"),
    [
        (
            '"GET /signup/verification/?token=abc-D_9 HTTP/1.1"',
            '"GET /signup/verification/?token=*** HTTP/1.1"',
        ),
        ("/live/?ticket=x&a=1", "/live/?ticket=***&a=1"),
        ("https://a.example/reset-password#token=x", "https://a.example/reset-password#token=***"),
        ("/content/?expires=5&signature=a:b", "/content/?expires=5&signature=***"),
        ("?Refresh_Token=x", "?Refresh_Token=***"),
        ("/deals/?page_size=5&stage=won", "/deals/?page_size=5&stage=won"),
        ("a token=of esteem", "a token=of esteem"),
    ],
)
def test_masks_secrets_in_addresses(logged: str, written: str) -> None:
    masked = mask_secrets(None, "info", {"event": logged, "number": 5, "uri": logged})
    assert masked == {"event": written, "number": 5, "uri": written}


def test_reports_leave_without_the_query() -> None:
    report = {"request": {"url": "https://k.example/x/?token=a", "query_string": "token=a"}}
    assert report_without_secrets(report, None) == {"request": {"url": "https://k.example/x/"}}
    assert report_without_secrets({"message": "m"}, None) == {"message": "m"}


def test_masks_what_an_error_says(capsys: pytest.CaptureFixture[str]) -> None:
    with our_logging():
        try:
            raise RuntimeError("no answer from https://sms.example/send?to=1&token=abc-D_9")
        except RuntimeError:
            structlog.get_logger("kerneltest").exception("sms_failed")
            logging.getLogger("kerneltest").exception("plain")
    ours, plain = lines_of(capsys)
    for line in (ours, plain):
        assert "token=***" in line["exception"]
        assert "abc-D_9" not in json.dumps(line)
