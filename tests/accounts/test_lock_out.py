"""Guessing is locked out; nobody is locked out by somebody else's guessing."""

from datetime import timedelta

import pytest

from shared_apps.accounts import services
from shared_apps.accounts.errors import CredentialsRefused, TooManyAttempts
from shared_apps.accounts.models import AttemptCounter, User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tests.accounts.clients import HostClient
from tests.accounts.people import PASSWORD


def guess(email: str, actor: Actor, times: int) -> list[type[Exception]]:
    refusals: list[type[Exception]] = []
    for _ in range(times):
        with pytest.raises((CredentialsRefused, TooManyAttempts)) as refusal:
            services.sign_in(email=email, password="a guess", actor=actor)
        refusals.append(refusal.type)
    return refusals


def test_locks_the_sixth_guess_out_even_if_it_is_right(alice: User, visitor: Actor) -> None:
    assert guess(alice.email, visitor, 5) == [CredentialsRefused] * 5
    with pytest.raises(TooManyAttempts) as refusal:
        services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)

    assert 0 < (refusal.value.retry_after or 0) <= 900


def test_answers_alike_for_an_address_that_nobody_has(alice: User, visitor: Actor) -> None:
    known = guess(alice.email, visitor, 7)
    unknown = guess("nobody@acme.example", visitor.changed(ip_address="198.51.100.8"), 7)

    assert known == unknown == [CredentialsRefused] * 5 + [TooManyAttempts] * 2


def test_does_not_lock_the_person_out_elsewhere(alice: User, visitor: Actor) -> None:
    guess(alice.email, visitor.changed(ip_address="203.0.113.66"), 30)

    assert services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)


def test_opens_again_when_the_window_ends(alice: User, visitor: Actor) -> None:
    with clock.frozen(clock.now()) as time:
        guess(alice.email, visitor, 6)
        time.advance(minutes=15, seconds=1)
        assert services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)


def test_is_not_prolonged_by_knocking(alice: User, visitor: Actor) -> None:
    with clock.frozen(clock.now()) as time:
        guess(alice.email, visitor, 6)
        time.advance(minutes=10)
        guess(alice.email, visitor, 10)
        time.advance(minutes=5, seconds=1)
        assert services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)


def test_forgets_failures_when_the_person_comes_in(alice: User, visitor: Actor) -> None:
    for _ in range(3):
        guess(alice.email, visitor, 4)
        services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)


def test_takes_one_ipv6_customer_for_one_place(alice: User, visitor: Actor) -> None:
    for number in range(5):
        guess(alice.email, visitor.changed(ip_address=f"2001:db8:1:2::{number}"), 1)

    elsewhere = visitor.changed(ip_address="2001:db8:1:3::1")
    assert guess(alice.email, visitor.changed(ip_address="2001:db8:1:2::ff"), 1) == [
        TooManyAttempts
    ]
    assert guess(alice.email, elsewhere, 1) == [CredentialsRefused]


def test_bounds_guesses_at_many_accounts_from_one_place(alice: User, visitor: Actor) -> None:
    refusals = [guess(f"person{number}@acme.example", visitor, 1)[0] for number in range(61)]

    assert refusals == [CredentialsRefused] * 60 + [TooManyAttempts]


def test_keeps_a_botnet_out_and_the_person_in(alice: User, visitor: Actor) -> None:
    services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)
    for number in range(51):
        guess(alice.email, visitor.changed(ip_address=f"203.0.113.{number}"), 1)

    stranger = visitor.changed(ip_address="192.0.2.1")
    with pytest.raises(TooManyAttempts):
        services.sign_in(email=alice.email, password=PASSWORD, actor=stranger)
    # Where Alice has been signed in lately, she still comes in.
    assert services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)


def test_tells_over_http_when_to_come_back(alice: User, client: HostClient) -> None:
    for _ in range(5):
        client.post("/api/token/", {"email": alice.email, "password": "a guess"})
    answer = client.post("/api/token/", {"email": alice.email, "password": PASSWORD})

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900


def test_does_not_believe_an_invented_address(alice: User, client: HostClient) -> None:
    statuses = [
        client.post(
            "/api/token/",
            {"email": alice.email, "password": "a guess"},
            HTTP_X_FORWARDED_FOR=f"203.0.113.{number}",
        ).status_code
        for number in range(6)
    ]

    assert statuses == [401] * 5 + [429]


def test_records_the_lock_once(alice: User, visitor: Actor) -> None:
    guess(alice.email, visitor, 12)

    reasons = AuditEntry.objects.filter(event_name="accounts.sign_in_failed")
    found = [entry.payload["reason"] for entry in reasons]
    assert found.count("credentials") == 5
    assert found.count("too_many") == 1


def test_keeps_no_address_in_the_counters(alice: User, visitor: Actor) -> None:
    guess(alice.email, visitor, 1)
    kept = str(list(AttemptCounter.objects.values()))

    assert "acme" not in kept
    assert visitor.ip_address not in kept


def test_deletes_counters_whose_window_is_over(alice: User, visitor: Actor) -> None:
    guess(alice.email, visitor, 1)
    with clock.frozen(clock.now() + timedelta(hours=2)):
        services.delete_expired()

    assert not AttemptCounter.objects.exists()
