"""Who posts to an account that is credited later meets those who close it, and nobody else."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from shared_apps.kernel.actor import Actor
from tenant_apps.ledger import folding
from tenant_apps.ledger.models import Account, DeferredCredit
from tenant_apps.ledger.selectors import balance_of
from tenant_apps.ledger.services import close_account, fold_waiting, post, reopen_account
from tests.connections import Other
from tests.ledger.conftest import kes
from tests.ledger.later import account_of, by_hand, charge, counted, defer, even, hold, sale


@pytest.fixture
def other_income(real_commits: Any, actor: Actor) -> Account:
    """A line of the chart that is credited later, open and empty; no rule uses it."""
    with transaction.atomic():
        defer(actor, "4900")
        by_hand(actor, "1000", "4900", "5.00")
        by_hand(actor, "4900", "1000", "5.00")
    return Account.objects.chart().get(code="4900")


@pytest.mark.parametrize("size", [1, 2])
def test_who_closes_an_account_sees_what_is_on_its_way(
    real_commits: Any, actor: Actor, other_income: Account, size: int
) -> None:
    closing = partial(close_account, actor=actor, account_id=other_income.id)
    with transaction.atomic():
        charge(size=size)
        beside = Other(real_commits, closing)
        assert beside.waits()
    assert beside.end() == "account_not_empty"
    assert DeferredCredit.objects.count() == size
    hold()


@pytest.mark.parametrize("size", [1, 2])
def test_who_posts_while_an_account_is_closed_is_refused(
    real_commits: Any, actor: Actor, other_income: Account, size: int
) -> None:
    with transaction.atomic():
        close_account(actor=actor, account_id=other_income.id)
        beside = Other(real_commits, partial(charge, size=size))
        assert beside.waits()
    assert beside.end() == "account_unusable"
    assert not DeferredCredit.objects.exists()
    hold()


def test_what_waits_is_counted_before_an_account_is_closed(
    real_commits: Any, actor: Actor, other_income: Account
) -> None:
    with transaction.atomic():
        charge()
        by_hand(actor, "4900", "1000", "0.50")
    with transaction.atomic():
        close_account(actor=actor, account_id=other_income.id)
    assert not DeferredCredit.objects.exists()
    assert counted("4900") == (4, 0)
    hold()


def test_who_credits_later_and_then_debits_goes_on_while_the_account_is_closed(
    real_commits: Any, actor: Actor, other_income: Account
) -> None:
    """Whoever closes it has the account's row, and waits for what this one holds."""
    with transaction.atomic():
        charge()
        closing = Other(
            real_commits, partial(close_account, actor=actor, account_id=other_income.id)
        )
        assert closing.waits()
        by_hand(actor, "4900", "1000", "0.50")
    assert closing.end() == "done"
    hold()


def test_who_debits_and_then_credits_later_goes_on_while_the_account_is_closed(
    real_commits: Any, actor: Actor, other_income: Account
) -> None:
    with transaction.atomic():
        by_hand(actor, "4900", "1000", "0.50")
        closing = Other(
            real_commits, partial(close_account, actor=actor, account_id=other_income.id)
        )
        assert closing.waits()
        charge()
    assert closing.end() == "done"
    hold()


def test_of_two_who_close_an_account_one_finds_it_closed(
    real_commits: Any, actor: Actor, other_income: Account
) -> None:
    with transaction.atomic():
        close_account(actor=actor, account_id=other_income.id)
        beside = Other(
            real_commits, partial(close_account, actor=actor, account_id=other_income.id)
        )
        assert beside.waits()
    assert beside.end() == "account_already_closed"


def test_who_opens_an_account_again_waits_for_those_who_credit_later(
    real_commits: Any, actor: Actor, other_income: Account
) -> None:
    """What they read of the account, and say when they refuse, is so until their end."""
    with transaction.atomic():
        close_account(actor=actor, account_id=other_income.id)
    with transaction.atomic():
        defer(actor)
        post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
        opening = Other(
            real_commits, partial(reopen_account, actor=actor, account_id=other_income.id)
        )
        assert opening.waits()
    assert opening.end() == "done"


def test_two_folders_queue_and_postings_do_not(real_commits: Any, actor: Actor) -> None:
    with transaction.atomic():
        defer(actor)
        post(postings=[sale(net="1.00", tax="0.00") for _ in range(3)], actor=actor)
    account = account_of("4000")
    with transaction.atomic():
        assert folding.fold(account_id=account, limit=2) == 2
        folder = Other(real_commits, partial(folding.fold, account_id=account, limit=10))
        assert folder.waits()
        seller = Other(
            real_commits,
            partial(post, postings=[sale(net="1.00", tax="0.00", party=uuid4())], actor=actor),
        )
        assert seller.end() == "done"
    assert folder.end() == "done"
    fold_waiting()
    assert counted("4000") == (4, 400)
    hold()


def test_postings_of_two_sellers_do_not_meet(real_commits: Any, actor: Actor) -> None:
    """The same two would queue at the revenue, were it counted at once."""
    mine, theirs = ([sale(net="1.00", tax="0.00", party=uuid4())] for _ in range(2))
    with transaction.atomic():
        defer(actor)
        post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
    with transaction.atomic():
        post(postings=mine, actor=actor)
        assert Other(real_commits, partial(post, postings=theirs, actor=actor)).end() == "done"
        assert even()
    assert balance_of(account_code="4000", currency="KES") == kes("3.00")
