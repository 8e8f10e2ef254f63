"""Seals over HTTP: what an admin sees, verifies in parts, and sets."""

from typing import Any

import pytest

from shared_apps.seals.models import Entry
from tests.people import client_of, make_person


@pytest.fixture
def ada(books: Any) -> Any:
    return client_of(make_person("Ada Admin", role="admin"))


def test_lists_segments_of_a_chain(ada: Any) -> None:
    found = ada.get("/api/v1/seals/?chain=transfers").json()["results"]
    assert [(one["number"], one["first_row"], one["rows"]) for one in found] == [
        (3, 9, 4),
        (2, 5, 4),
        (1, 1, 4),
    ]
    assert found[0]["previous"] == found[1]["digest"]
    shown = ada.get(f"/api/v1/seals/{found[0]['id']}/").json()
    assert shown == found[0]


def test_verifies_in_parts(ada: Any, owner: Any) -> None:
    victim = Entry.objects.get(chain=1, segment=3, position=2).row_id
    owner.execute("DELETE FROM ledger_transfer WHERE id = %s", [victim])
    first = ada.get("/api/v1/seals/verification/?chain=transfers&segments=2").json()
    assert (first["holds"], first["rows"], first["next_after"]) == (True, 8, 2)
    last = ada.get("/api/v1/seals/verification/?chain=transfers&segments=2&after=2").json()
    assert (last["holds"], last["rows"], last["next_after"]) == (False, 3, None)
    assert last["findings"] == [
        {
            "wrong": "deleted",
            "segment": 3,
            "row_id": str(victim),
            "detail": "The sealed row is not there.",
        }
    ]


@pytest.mark.parametrize(
    "query", ["", "?chain=other", "?chain=transfers&segments=51", "?chain=transfers&after=-1"]
)
def test_refuses_what_cannot_be_verified(ada: Any, query: str) -> None:
    assert ada.get(f"/api/v1/seals/verification/{query}").status_code == 400


def test_tells_everybody_the_public_keys(ada: Any) -> None:
    from tests.people import OrganizationClient

    stranger = OrganizationClient(HTTP_HOST="acme.kontor.test")
    (key,) = stranger.get("/api/v1/seals/keys/").json()
    assert key["signs_now"] is True
    assert len(key["public_key"]) == 64


def test_changes_settings_at_the_version_that_was_read(ada: Any) -> None:
    first = ada.get("/api/v1/seals/settings/")
    assert first.json() == {"mail_heads": False, "audit_retention_days": None, "version": 1}
    changed = ada.patch(
        "/api/v1/seals/settings/",
        {"audit_retention_days": 730},
        format="json",
        HTTP_IF_MATCH=first["ETag"],
    )
    assert changed.json() == {"mail_heads": False, "audit_retention_days": 730, "version": 2}
    stale = ada.patch(
        "/api/v1/seals/settings/",
        {"mail_heads": True},
        format="json",
        HTTP_IF_MATCH=first["ETag"],
    )
    assert stale.status_code == 412
    short = ada.patch("/api/v1/seals/settings/", {"audit_retention_days": 30}, format="json")
    assert short.status_code == 400
