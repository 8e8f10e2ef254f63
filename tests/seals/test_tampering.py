"""Whatever was done behind the product's back is found, and the row or segment is named."""

import io
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from shared_apps.kernel.actor import Actor
from shared_apps.seals import chains, keys, merkle, segments
from shared_apps.seals.models import Entry, Segment
from shared_apps.seals.services import anchor_heads, seal_chains
from shared_apps.seals.verification import Wrong, verify_chain
from tests.seals.conftest import findings, sell, wrongs

Restore = Callable[[], None]


def rows(segment: int, chain: int = 1) -> list[UUID]:
    found = Entry.objects.filter(chain=chain, segment=segment).order_by("position")
    return list(found.values_list("row_id", flat=True))


def test_untouched_rows_hold(books: Any) -> None:
    assert findings("transfers") == findings("audit") == []


# A changed value for each kind of column.
_OTHER = {
    "uuid": "gen_random_uuid()",
    "bytea": r"'\x00'::bytea",
    "bigint": "coalesce({0}, 0) + 1",
    "smallint": "{0} + 1",
    "character varying": "'other'",
    "date": "{0} + 1",
    "timestamp with time zone": "{0} + interval '1 microsecond'",
    "jsonb": """'{{"other": 1}}'::jsonb""",
    "inet": "'192.0.2.1'::inet",
}


@pytest.mark.parametrize("name", ["transfers", "audit"])
def test_an_edit_of_any_column_is_found(
    books: Any, owner: Any, restore: Restore, name: str
) -> None:
    chain = chains.by_name(name)
    for constraint in ("sound", "debit_version", "credit_version"):
        owner.execute(f"ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_{constraint}")
    owner.execute("DROP INDEX ledger_transfer_reversed_once")
    victim = rows(1, chain.code)[0]
    columns = owner.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND attname <> 'id'",
        [chain.table],
    ).fetchall()
    assert len(columns) == len(chain.newest.columns) - 1
    for column, kind in columns:
        value = "'USD'" if column == "currency" else _OTHER[kind].format(column)
        owner.execute(f"UPDATE {chain.table} SET {column} = {value} WHERE id = %s", [victim])
        found = findings(name)
        assert [(one.wrong, one.segment, one.row_id) for one in found if one.wrong == "edited"] == [
            (Wrong.EDITED, 1, victim)
        ], column
        owner.execute(f"DELETE FROM {chain.table} WHERE id = %s", [victim])
        owner.execute(
            f"INSERT INTO {chain.table} SELECT * FROM saved_{chain.table} WHERE id = %s", [victim]
        )
    assert findings(name) == []


def test_a_deleted_row_is_named(books: Any, owner: Any) -> None:
    victim = rows(2)[1]
    owner.execute("DELETE FROM ledger_transfer WHERE id = %s", [victim])
    (found,) = findings()
    assert (found.wrong, found.segment, found.row_id) == (Wrong.DELETED, 2, victim)


def test_a_row_that_was_deleted_with_its_entry_is_missed(books: Any, owner: Any) -> None:
    victim = rows(2)[1]
    owner.execute("DELETE FROM ledger_transfer WHERE id = %s", [victim])
    owner.execute("DELETE FROM seals_entry WHERE row_id = %s", [victim])
    found = {(one.wrong, one.segment) for one in findings()}
    assert found == {(Wrong.CUT_OUT, 2), (Wrong.SEGMENT_CHANGED, 2)}


def test_a_row_whose_id_was_changed_is_missed(books: Any, owner: Any) -> None:
    victim = rows(2)[1]
    owner.execute("UPDATE ledger_transfer SET id = gen_random_uuid() WHERE id = %s", [victim])
    assert {(one.wrong, one.row_id) for one in findings()} >= {(Wrong.DELETED, victim)}


def _forge(owner: Any, *, age: str) -> UUID:
    forged = uuid4()
    columns = [name for name in chains.by_name("transfers").newest.names if name != "id"]
    changed = {
        "debit_version": "NULL",
        "credit_version": "NULL",
        "posted_at": f"posted_at - interval '{age}'",
    }
    owner.execute(
        f"INSERT INTO ledger_transfer (id, {', '.join(columns)})"
        f" SELECT %s, {', '.join(changed.get(name, name) for name in columns)}"
        " FROM ledger_transfer LIMIT 1",
        [forged],
    )
    return forged


def test_a_row_that_was_put_among_old_ones_is_named(books: Any, owner: Any) -> None:
    """Before it is sealed, and for ever after: the sealer does not make it right."""
    forged = _forge(owner, age="2 hours")
    (found,) = findings()
    assert (found.wrong, found.segment, found.row_id) == (Wrong.INSERTED, None, forged)
    seal_chains()
    (found,) = findings()
    assert (found.wrong, found.segment, found.row_id) == (Wrong.INSERTED, 4, forged)


def test_a_row_with_an_entry_of_its_own_is_named(books: Any, owner: Any) -> None:
    forged = _forge(owner, age="0 seconds")
    owner.execute(
        "INSERT INTO seals_entry SELECT segment, %s, digest, chain, 4 FROM seals_entry"
        " WHERE chain = 1 AND segment = 2 AND position = 3",
        [forged],
    )
    found = {(one.wrong, one.segment, one.row_id) for one in findings()}
    assert (Wrong.INSERTED, 2, forged) in found
    assert (Wrong.SEGMENT_CHANGED, 2, None) in found


def test_two_rows_that_changed_places_are_named(books: Any, owner: Any) -> None:
    one, other = rows(2)[1:3]
    owner.execute("UPDATE seals_entry SET position = position + 100 WHERE segment = 2")
    for row, place in ((one, 2), (other, 1)):
        owner.execute("UPDATE seals_entry SET position = %s WHERE row_id = %s", [place, row])
    owner.execute("UPDATE seals_entry SET position = position - 100 WHERE position >= 100")
    found = {(each.wrong, each.segment, each.row_id) for each in findings()}
    assert found == {(Wrong.REORDERED, 2, one), (Wrong.SEGMENT_CHANGED, 2, None)}


def test_two_rows_that_changed_contents_are_named(books: Any, owner: Any) -> None:
    one, other = rows(1)[0], rows(3)[0]
    aside = uuid4()
    for row, new in ((one, aside), (other, one), (aside, other)):
        owner.execute("UPDATE ledger_transfer SET id = %s WHERE id = %s", [new, row])
    edited = {(each.segment, each.row_id) for each in findings() if each.wrong == Wrong.EDITED}
    assert edited == {(1, one), (3, other)}


def test_a_segment_that_was_taken_out_is_named(books: Any, owner: Any) -> None:
    owner.execute(
        "DELETE FROM ledger_transfer t USING seals_entry e WHERE e.row_id = t.id AND e.segment = 2"
    )
    owner.execute("DELETE FROM seals_entry WHERE chain = 1 AND segment = 2")
    owner.execute("DELETE FROM seals_segment WHERE chain = 'transfers' AND number = 2")
    (found,) = findings()
    assert (found.wrong, found.segment) == (Wrong.SEGMENT_MISSING, 2)


def test_each_field_of_a_segment_is_covered(books: Any, owner: Any, restore: Restore) -> None:
    changes = {
        "form": "2",
        "first": "first + 1",
        "rows": "rows + 1",
        "root": r"'\x00'",
        "previous": r"'\x00'",
        "complete_until": "now()",
        "sealed_at": "now()",
        "key_id": "'other'",
        "digest": r"'\x00'",
        "signature": "set_byte(signature, 0, get_byte(signature, 0) # 1)",
    }
    for column, value in changes.items():
        owner.execute(
            f"UPDATE seals_segment SET {column} = {value} WHERE chain = 'transfers' AND number = 2"
        )
        assert 2 in {one.segment for one in findings()}, column
        restore()
    assert findings() == []


def _cut_off_tail(owner: Any, *, after: int) -> None:
    owner.execute(
        "DELETE FROM ledger_transfer t USING seals_entry e"
        " WHERE e.row_id = t.id AND e.chain = 1 AND e.segment > %s",
        [after],
    )
    owner.execute("DELETE FROM seals_entry WHERE chain = 1 AND segment > %s", [after])
    owner.execute("DELETE FROM seals_segment WHERE chain = 'transfers' AND number > %s", [after])


def test_a_tail_that_was_cut_off_is_told_by_the_anchor(books: Any, owner: Any) -> None:
    """Also what a return to an older state of the whole schema looks like."""
    assert anchor_heads() == 2
    _cut_off_tail(owner, after=1)
    (found,) = findings()
    assert (found.wrong, found.segment) == (Wrong.CUT_OFF, 3)
    assert "12 rows" in found.detail


def test_other_rows_after_a_return_do_not_replace_the_anchored(
    books: Any, owner: Any, actor: Actor
) -> None:
    anchor_heads()
    _cut_off_tail(owner, after=1)
    for _ in range(2):
        sell(4, actor=actor)
        seal_chains()
    assert {(one.wrong, one.segment) for one in findings()} == {(Wrong.ANCHOR_DIFFERS, 3)}


def _reseal(*, private: Ed25519PrivateKey) -> None:
    """Write the whole chain anew, as somebody would who has the database and not the key."""
    chain, previous = chains.by_name("transfers"), segments.BEGINNING
    with connection.cursor() as cursor:
        for segment in Segment.objects.filter(chain="transfers").order_by("number"):
            cursor.execute(
                f"SELECT {chain.texts} FROM ledger_transfer t JOIN seals_entry e"
                " ON e.row_id = t.id WHERE e.chain = 1 AND e.segment = %s ORDER BY e.position",
                [segment.number],
            )
            digests = [merkle.leaf(chain.line(chain.newest, row)) for row in cursor.fetchall()]
            segment.root, segment.previous = merkle.root(digests), previous
            previous = segments.digest(segment, organization_id=connection.tenant.id)
            signature = private.sign(b"kontor-seal-1:" + previous)
            _written.append((segment.number, segment.root, segment.previous, previous, signature))
            _leaves[segment.number] = digests


_written: list[Any] = []
_leaves: dict[int, list[bytes]] = {}


def test_a_whole_chain_without_the_key_is_refused(books: Any, owner: Any) -> None:
    owner.execute("UPDATE ledger_transfer SET memo = 'forged' WHERE id = %s", [rows(1)[0]])
    _written.clear()
    _reseal(private=Ed25519PrivateKey.generate())
    for number, root, previous, digest, signature in _written:
        owner.execute(
            "UPDATE seals_segment SET root = %s, previous = %s, digest = %s, signature = %s"
            " WHERE chain = 'transfers' AND number = %s",
            [root, previous, digest, signature, number],
        )
        for place, leaf in enumerate(_leaves[number]):
            owner.execute(
                "UPDATE seals_entry SET digest = %s"
                " WHERE chain = 1 AND segment = %s AND position = %s",
                [leaf, number, place],
            )
    found = {(one.wrong, one.segment) for one in findings()}
    assert found == {(Wrong.SIGNATURE_WRONG, number) for number in (1, 2, 3)}


def test_a_neighbours_chain_is_no_substitute(books: Any) -> None:
    """The organization's id is part of what is signed."""
    segment = Segment.objects.filter(chain="transfers").first()
    assert segment is not None
    mine = segments.digest(segment, organization_id=books.id)
    assert mine == bytes(segment.digest)
    assert segments.digest(segment, organization_id=uuid4()) != mine


def test_equal_keys_of_a_neighbour_are_other_rows(books: Any, owner: Any, actor: Actor) -> None:
    """Neighbours have rows with the same primary keys; each has seals of its own."""
    from tenants.context import tenant_context
    from tenants.selectors import organization_by_subdomain

    neighbour = organization_by_subdomain("neighbour")
    mine = set(Entry.objects.filter(chain=2).values_list("row_id", flat=True))
    with tenant_context(neighbour):
        seal_chains()
        theirs = set(Entry.objects.filter(chain=2).values_list("row_id", flat=True))
        digest = bytes(Segment.objects.get(chain="audit", number=1).digest)
        assert findings("audit") == []
    assert mine & theirs
    assert bytes(Segment.objects.get(chain="audit", number=1).digest) != digest
    victim = next(iter(mine & theirs))
    owner.execute("UPDATE audit_entry SET request_id = 'forged' WHERE id = %s", [victim])
    assert [one.row_id for one in findings("audit")] == [victim]
    with tenant_context(neighbour):
        assert findings("audit") == []


class TestKeys:
    """Rotation: new segments with the new key, old ones verifiable with the old public key."""

    def rotate(self, values: Any, *, keep_old: bool) -> None:
        private = Ed25519PrivateKey.generate()
        old = dict(values.SEAL_PUBLIC_KEYS) if keep_old else {}
        values.SEAL_KEY_ID = "next"
        values.SEAL_PRIVATE_KEY = private.private_bytes_raw()
        values.SEAL_PUBLIC_KEYS = {**old, "next": private.public_key().public_bytes_raw()}

    def test_after_a_rotation_both_are_verified(
        self, books: Any, actor: Actor, settings: Any
    ) -> None:
        self.rotate(settings, keep_old=True)
        sell(2, actor=actor)
        seal_chains()
        names = Segment.objects.filter(chain="transfers").order_by("number")
        assert [one.key_id == "next" for one in names] == [False, False, False, True]
        assert findings() == []
        assert [one.signs_now for one in keys.published() if one.id == "next"] == [True]

    def test_a_key_that_is_missing_is_named(self, books: Any, settings: Any) -> None:
        known = settings.SEAL_KEY_ID
        self.rotate(settings, keep_old=False)
        found = findings()
        assert {one.wrong for one in found} == {Wrong.KEY_UNKNOWN}
        assert f"do not know the seal key {known}" in found[0].detail

    def test_another_key_under_the_same_id_has_signed_nothing(
        self, books: Any, settings: Any
    ) -> None:
        other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        settings.SEAL_PUBLIC_KEYS = {settings.SEAL_KEY_ID: other}
        assert wrongs() == {"signature_wrong"}


def test_parts_find_what_the_whole_finds(books: Any, owner: Any) -> None:
    owner.execute("UPDATE ledger_transfer SET memo = 'x' WHERE id = %s", [rows(2)[0]])
    owner.execute("DELETE FROM ledger_transfer WHERE id = %s", [rows(3)[3]])
    chain, found, after = chains.by_name("transfers"), [], 0
    for _ in itertools.repeat(None, 3):
        part = verify_chain(chain, after=after, segments_at_most=1)
        assert part.segments == 1
        found += part.findings
        after = part.next_after or 0
    assert after == 0
    assert found == findings()
    assert [one.wrong for one in found] == [Wrong.EDITED, Wrong.DELETED]


def test_an_edit_of_a_column_that_came_later_is_found(
    books: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows sealed under an older form: the release says what the new column holds for them."""
    chain = chains.by_name("transfers")
    old = chain.newest
    new = chains.Form(
        number=2, columns=(*old.columns, ("label", chains.Kind.TEXT)), absent={"label": ""}
    )
    owner.execute("ALTER TABLE ledger_transfer ADD COLUMN label varchar(9) NOT NULL DEFAULT ''")
    monkeypatch.setitem(chains._chains, "transfers", replace(chain, forms=(old, new)))
    assert findings() == []
    owner.execute("UPDATE ledger_transfer SET label = 'x' WHERE id = %s", [rows(1)[2]])
    (found,) = findings()
    assert (found.wrong, found.row_id) == (Wrong.EDITED, rows(1)[2])


def test_verify_books_names_the_row(books: Any, owner: Any) -> None:
    """A memo changes no sum: only the seals tell."""
    victim = rows(2)[3]
    owner.execute("UPDATE ledger_transfer SET memo = 'x' WHERE id = %s", [victim])
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_books", "--organization", "acme", stdout=out)
    assert f"edited: segment 2, row {victim}:" in out.getvalue()
    assert "transfers in 12 journals: hold" in out.getvalue()


def test_a_long_chain_is_read_page_by_page(
    books: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared_apps.seals.verification.SEGMENTS_PER_PAGE", 1)
    monkeypatch.setattr("shared_apps.seals.verification.SEGMENTS_PER_STATEMENT", 2)
    read = verify_chain(chains.by_name("transfers"))
    assert (read.segments, read.rows, read.findings) == (3, 12, [])
    victim = rows(3)[0]
    owner.execute("DELETE FROM ledger_transfer WHERE id = %s", [victim])
    assert [one.row_id for one in findings()] == [victim]
    part = verify_chain(chains.by_name("transfers"), after=1, segments_at_most=1)
    assert (part.segments, part.next_after) == (1, 2)


@pytest.mark.parametrize("number", [0, -3, 4, 1_000_000_000])
def test_a_row_with_an_entry_of_no_segment_is_named(books: Any, owner: Any, number: int) -> None:
    """It would be hidden from the sealer, which asks whether there is an entry."""
    forged = _forge(owner, age="0 seconds")
    owner.execute(
        "INSERT INTO seals_entry SELECT %s, %s, digest, chain, 0 FROM seals_entry"
        " WHERE chain = 1 AND segment = 1 AND position = 0",
        [number, forged],
    )
    found = [(one.wrong, one.segment, one.row_id) for one in findings()]
    assert found == [(Wrong.INSERTED, number, forged)]


def test_absurd_numbers_end_soon(books: Any, owner: Any) -> None:
    owner.execute("UPDATE seals_segment SET number = 1::bigint << 60 WHERE number = 3")
    owner.execute("UPDATE seals_segment SET rows = 2147483647 WHERE number = 2")
    assert {"segment_missing", "cut_out", "segment_changed"} <= wrongs()
