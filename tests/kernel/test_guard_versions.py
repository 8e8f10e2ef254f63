"""ETag and If-Match."""

import pytest
from django.db import models

from shared_apps.kernel.errors import PreconditionFailed
from shared_apps.kernel.models import Versioned
from tests.kernel.conftest import Api

PATH = "things/1f0b9a52-7c5d-4f11-9d39-3a1f6b7c8d9e/"


class Boat(Versioned):
    class Meta:
        app_label = "kerneltest"
        managed = False


def test_a_versioned_thing_has_an_etag(api: Api) -> None:
    assert api.get(PATH)["ETag"] == '"3"'


@pytest.mark.parametrize(("header", "expected"), [('"3"', 3), ("*", None), (' "12" ', 12)])
def test_reads_the_version_that_is_demanded(api: Api, header: str, expected: int | None) -> None:
    answer = api.patch(PATH, {"reference": "B"}, HTTP_IF_MATCH=header).json()
    assert answer == {"expected": expected, "read": ["reference"]}


def test_demands_nothing_without_the_header(api: Api) -> None:
    assert api.patch(PATH, {}).json() == {"expected": None, "read": []}


@pytest.mark.parametrize(
    "header", ['W/"3"', "3", '"x"', '"3", "4"', "", '"-1"', '"' + "9" * 40 + '"']
)
def test_nothing_else_ever_matches(api: Api, header: str) -> None:
    response = api.patch(PATH, {}, HTTP_IF_MATCH=header)
    assert response.status_code == 412
    assert response.json()["code"] == "precondition_failed"


def test_refuses_a_version_that_has_passed() -> None:
    boat = Boat(version=4)
    boat.check_version(None)
    boat.check_version(4)
    with pytest.raises(PreconditionFailed) as refused:
        boat.check_version(3)
    assert refused.value.extra == {"current_version": 4}


def test_counts_changes() -> None:
    boat = Boat(version=4)
    boat.raise_version()
    assert boat.version == 5


def test_versions_start_at_one() -> None:
    assert Boat().version == 1
    assert isinstance(Boat._meta.get_field("version"), models.PositiveIntegerField)
