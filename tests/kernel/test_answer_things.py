"""Answers that succeed."""

import pytest

from shared_apps.delivery.models import Mail
from tests.kernel.conftest import Api

PATH = "things/1f0b9a52-7c5d-4f11-9d39-3a1f6b7c8d9e/"


def test_are_plain_json_kept_by_no_cache(api: Api) -> None:
    answer = api.get(PATH)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {"reference": "T-1", "version": 3}


def test_come_in_an_envelope_when_asked(api: Api) -> None:
    answer = api.get(PATH, HTTP_ACCEPT="application/vnd.kontor.envelope+json")
    assert answer["Content-Type"] == "application/vnd.kontor.envelope+json"
    assert answer.json() == {"status": "Success", "data": {"reference": "T-1", "version": 3}}


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "application/vnd.kontor.envelope+json"]
)
def test_a_removal_has_no_body(api: Api, accept: str) -> None:
    answer = api.send("DELETE", PATH, **({"HTTP_ACCEPT": accept} if accept else {}))
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.usefixtures("tenant")
def test_a_row_is_found_by_its_id_in_any_spelling(api: Api) -> None:
    mail = Mail.objects.create(template="x", to="bob@example.test")
    for spelled in (str(mail.pk), str(mail.pk).upper()):
        assert api.get(f"mails/{spelled}/").json()["id"] == str(mail.pk)
    assert api.get(f"mails/{mail.pk.hex}/").status_code == 404


@pytest.mark.usefixtures("tenant")
def test_a_row_that_is_not_there_is_not_found(api: Api) -> None:
    assert api.get("mails/1f0b9a52-7c5d-4f11-9d39-3a1f6b7c8d9e/").status_code == 404


@pytest.mark.parametrize("path", [PATH, "single/", "things/report/?since=2026-01-01"])
def test_a_head_request_answers_as_get_does(api: Api, path: str) -> None:
    answer = api.send("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")
