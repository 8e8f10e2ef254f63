"""A stranger checks a proof with the script in docs/ and the public key, without Kontor."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core import mail

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden, NotFound
from shared_apps.outbox.relay import relay_due
from shared_apps.seals import merkle
from shared_apps.seals.errors import NotSealedYet, SealBroken
from shared_apps.seals.proofs import proof_of
from shared_apps.seals.services import anchor_heads, change_settings, seal_chains
from tenant_apps.ledger.models import Transfer
from tests.people import actor_of, client_of, make_person
from tests.seals.conftest import sell

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify_seal.py"


def public_key() -> str:
    return f"{settings.SEAL_KEY_ID}:{settings.SEAL_PUBLIC_KEYS[settings.SEAL_KEY_ID].hex()}"


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., Any]:
    """The script in a process of its own, isolated: no package is found but Python's."""

    def run(proof: Any, *options: str, key: str | None = None) -> Any:
        file = tmp_path / "proof.json"
        file.write_text(proof if isinstance(proof, str) else json.dumps(proof))
        command = (sys.executable, "-I", "-S", str(SCRIPT))
        return subprocess.run(
            [*command, str(file), "--key", key or public_key(), *options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def proof(books: Any) -> Any:
    """As the API gives it to an admin, for a transfer of the second segment."""
    anchor_heads()
    admin = make_person("Ada Admin", role="admin")
    transfer = Transfer.objects.order_by("posted_at", "id")[5]
    answer = client_of(admin).get(f"/api/v1/seals/rows/{transfer.pk}/proof/")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_proof_holds(proof: Any, check: Any) -> None:
    done = check(proof)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "segment 2 of transfers" in done.stdout
    assert "amount_minor: 1000" in done.stdout


def test_it_leads_to_the_anchored_head(proof: Any, check: Any) -> None:
    assert proof["anchor"]["number"] == 3
    assert [json.loads(each["text"])["number"] for each in proof["segments"]] == [2, 3]
    assert check(proof, "--head", proof["anchor"]["digest"]).returncode == 0
    other = check(proof, "--head", "00" * 32)
    assert other.returncode == 1
    assert "the head that you gave" in other.stdout


def flipped(text: str) -> str:
    """One bit of it is another."""
    middle = len(text) // 2
    other = format(int(text[middle], 16) ^ 1, "x") if text[middle] in "0123456789abcdef" else "0"
    return text[:middle] + other + text[middle + 1 :]


def test_a_flipped_bit_anywhere_is_found(proof: Any, check: Any) -> None:
    changes: list[tuple[str, Any]] = [
        ("row", {**proof, "row": proof["row"].replace('"1000"', '"1001"')}),
        ("position", {**proof, "position": proof["position"] ^ 1}),
        ("path", {**proof, "path": [flipped(proof["path"][0]), *proof["path"][1:]]}),
        ("shorter path", {**proof, "path": proof["path"][:-1]}),
        ("anchor", {**proof, "anchor": {**proof["anchor"], "digest": "00" * 32}}),
        ("order", {**proof, "segments": proof["segments"][::-1]}),
    ]
    for place, segment in enumerate(proof["segments"]):
        for name, value in (
            ("signature", flipped(segment["signature"])),
            ("text", segment["text"].replace('"rows":4', '"rows":5')),
        ):
            others = list(proof["segments"])
            others[place] = {**segment, name: value}
            changes.append((f"{name} {place}", {**proof, "segments": others}))
    for what, changed in changes:
        assert changed != proof, what
        done = check(changed)
        assert done.returncode == 1, (what, done.stdout, done.stderr)
        assert "DOES NOT HOLD" in done.stdout


def test_another_key_does_not_do(proof: Any, check: Any) -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    done = check(proof, key=f"{settings.SEAL_KEY_ID}:{other}")
    assert done.returncode == 1
    assert "not signed with that key" in done.stdout
    unknown = check(proof, key=f"elsewhere:{other}")
    assert unknown.returncode == 1
    assert "was not given" in unknown.stdout


def test_what_is_no_proof_cannot_be_read(check: Any) -> None:
    for text in ("", "[]", "{}", '{"proof": "kontor.1", "segments": []}'):
        assert check(text).returncode == 2, text


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 100])
def test_every_leaf_has_a_path_and_no_other(size: int) -> None:
    leaves = [merkle.leaf(str(number)) for number in range(size)]
    root = merkle.root(leaves)
    for index, leaf in enumerate(leaves):
        way = merkle.path(leaves, index)
        assert merkle.root_of_path(leaf, index=index, size=size, digests=way) == root
        if size > 1:
            other = (index + 1) % size
            assert merkle.root_of_path(leaf, index=other, size=size, digests=way) != root
            assert merkle.root_of_path(leaf, index=index, size=size, digests=way[1:]) != root


def test_an_audit_entry_is_proved_as_well(books: Any, actor: Actor, check: Any) -> None:
    change_settings(actor=actor, changes={"mail_heads": True})
    seal_chains()
    entry = AuditEntry.objects.latest("id")
    found = proof_of(actor=actor, row_id=entry.pk)
    assert json.loads(found.row)["row"] == "audit.1"


def test_a_row_that_waits_is_told(books: Any, actor: Actor) -> None:
    sell(actor=actor)
    newest = Transfer.objects.latest("posted_at")
    with pytest.raises(NotSealedYet):
        proof_of(actor=actor, row_id=newest.pk)


def test_nothing_is_proved_of_an_edited_row(books: Any, owner: Any, actor: Actor) -> None:
    row = Transfer.objects.order_by("posted_at", "id")[0]
    owner.execute("UPDATE ledger_transfer SET memo = 'x' WHERE id = %s", [row.pk])
    with pytest.raises(SealBroken):
        proof_of(actor=actor, row_id=row.pk)


def test_strangers_ids_do_not_exist(tenant: Any, actor: Actor) -> None:
    with pytest.raises(NotFound):
        proof_of(actor=actor, row_id=uuid4())


def test_salespeople_prove_nothing(tenant: Any) -> None:
    olga = make_person("Olga Owner", role="salesperson")
    with pytest.raises(Forbidden):
        proof_of(actor=actor_of(olga), row_id=uuid4())


def test_heads_are_mailed_where_wanted(books: Any, actor: Actor) -> None:
    from shared_apps.delivery.models import Mail

    make_person("Ada Admin", role="admin")
    change_settings(actor=actor, changes={"mail_heads": True})
    seal_chains()
    mail.outbox.clear()
    assert anchor_heads() == 2
    assert anchor_heads() == 0
    relay_due()
    (sent,) = Mail.objects.filter(template="seal_heads")
    assert sent.to == "ada.admin@acme.example"
    assert "transfers: segment 3, 12 rows" in sent.text
    assert public_key() in sent.text
