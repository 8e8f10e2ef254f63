"""What super-admins do is sealed too, anchored, and read again by command and on a page."""

import io
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from psycopg import sql

from shared_apps.console import sites
from shared_apps.seals import chains, segments, tasks
from shared_apps.seals.models import Anchor, Entry, Segment
from shared_apps.seals.platform import verify_platform
from shared_apps.seals.selectors import PLATFORM
from shared_apps.seals.services import anchor_heads, seal_chains
from shared_apps.seals.verification import Finding, Verified, Wrong
from tenants.context import platform_context, tenant_context
from tests.console.test_console import console, sign_in
from tests.databases import owner_connection
from tests.seals.conftest import write_platform_entries

__all__ = ["console"]


@pytest.fixture
def log(real_commits: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two sealed segments of the platform's own log, or more."""
    monkeypatch.setattr("shared_apps.seals.services.SEGMENT_ROWS", 3)
    write_platform_entries(6)
    with platform_context(reason="test"):
        seal_chains()
    return real_commits


@pytest.fixture
def owner(log: Any) -> Iterator[psycopg.Connection]:
    """The login that owns the platform's tables, with every trigger taken away."""
    with owner_connection(connection.settings_dict["NAME"]) as login:
        for table in ("audit_entry", "seals_segment", "seals_entry"):
            name = sql.Identifier("public", table)
            login.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
        yield login


def wrongs() -> set[Wrong]:
    return {finding.wrong for result in verify_platform() for finding in result.findings}


def test_the_platform_has_a_chain_of_its_own(log: Any) -> None:
    (result,) = verify_platform()
    assert (result.chain, result.waiting, result.findings) == ("audit", 0, [])
    assert result.rows >= 6
    with platform_context(reason="test"):
        first = Segment.objects.get(chain="audit", number=1)
        rows = set(Entry.objects.values_list("row_id", flat=True))
    assert bytes(first.digest) == segments.digest(first, organization_id=PLATFORM)
    assert bytes(first.digest) != segments.digest(first, organization_id=log.id)
    with tenant_context(log):
        assert not rows & set(Entry.objects.values_list("row_id", flat=True))


def test_what_was_edited_deleted_or_cut_off_is_found(log: Any, owner: psycopg.Connection) -> None:
    with platform_context(reason="test"):
        assert anchor_heads() == 1
        assert anchor_heads() == 0, "once a day"
        assert Anchor.objects.filter(organization_id=PLATFORM).count() == 1
        rows = list(Entry.objects.order_by("segment", "position").values_list("row_id", flat=True))
    owner.execute("UPDATE public.audit_entry SET actor_label = 'other' WHERE id = %s", [rows[0]])
    assert wrongs() == {Wrong.EDITED}
    owner.execute("DELETE FROM public.audit_entry WHERE id = %s", [rows[1]])
    assert wrongs() == {Wrong.EDITED, Wrong.DELETED}
    out = io.StringIO()
    with pytest.raises(CommandError, match="not what was sealed"):
        call_command("verify_platform", stdout=out)
    assert f"edited: segment 1, row {rows[0]}" in out.getvalue()
    owner.execute("DELETE FROM public.seals_entry WHERE segment > 1")
    owner.execute("DELETE FROM public.seals_segment WHERE number > 1")
    assert Wrong.CUT_OFF in wrongs()


def test_the_command_says_that_all_hold(log: Any) -> None:
    out = io.StringIO()
    call_command("verify_platform", stdout=out)
    assert "0 not sealed yet: hold" in out.getvalue()


def test_it_is_read_again_once_a_day(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(tasks, "verify_platform", lambda: read.append(1))
    tasks.anchor_everywhere()
    tasks.anchor_everywhere()
    assert read == [1]


def test_only_what_the_platform_has_is_sealed_there(log: Any) -> None:
    with platform_context(reason="test"):
        assert set(Segment.objects.values_list("chain", flat=True)) == {"audit"}
    assert len(chains.registered()) > 1


def test_super_admins_see_whether_it_holds(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "/admin/platform-seals/"
    assert console.get(address).status_code == 302, "nobody has signed in"
    sign_in(console)
    assert address.encode() in console.get("/admin/").content
    page = console.get(address)
    assert page.status_code == 200
    assert b"are what was sealed" in page.content
    broken = Verified(chain="audit", findings=[Finding(wrong=Wrong.EDITED, detail="Not the same.")])
    monkeypatch.setattr(sites, "verify_platform", lambda: [broken])
    page = console.get(address)
    assert b"The log is not what was sealed." in page.content
    assert b"Not the same." in page.content
