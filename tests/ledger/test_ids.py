"""Ids of what is posted: always the same for the same request, and beside their document's."""

from uuid import uuid4

import pytest
from django.db import transaction

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7
from tenant_apps.ledger.services import post
from tests.ledger.conftest import posting

pytestmark = pytest.mark.usefixtures("tenant")


def test_they_sort_beside_their_document_and_differ(actor: Actor) -> None:
    sources = [uuid7() for _ in range(50)]
    journals = post(
        postings=[
            posting("invoice.issued", net="1.00", tax="1.00", party=uuid4(), source=source)
            for source in sources
        ],
        actor=actor,
    )
    ids = [leg.transfer_id for journal in journals for leg in journal.legs]
    assert len({*ids, *(journal.id for journal in journals)}) == 150
    for source, journal in zip(sources, journals, strict=True):
        for made in (journal.id, *(leg.transfer_id for leg in journal.legs)):
            assert made.bytes[:6] == source.bytes[:6]
            assert (made.version, made.variant) == (8, uuid7().variant)


def test_they_are_the_same_every_time(actor: Actor) -> None:
    again = posting("payment.received.cash", amount="1.00", party=uuid4(), source=uuid7())
    ids = set()
    for _ in range(2):
        sid = transaction.savepoint()
        (journal,) = post(postings=[again], actor=actor)
        ids.add((journal.id, journal.legs[0].transfer_id))
        transaction.savepoint_rollback(sid)
    assert len(ids) == 1
