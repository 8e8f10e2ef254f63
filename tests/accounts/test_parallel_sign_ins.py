"""Real threads and real commits."""

from functools import partial
from typing import Any

import pytest

from shared_apps.accounts import services
from shared_apps.accounts.errors import (
    CredentialsRefused,
    RefreshRefused,
    SecondFactorWrong,
    SecretRefused,
    TooManyAttempts,
)
from shared_apps.accounts.models import Session, User
from shared_apps.kernel.actor import Actor
from tests.accounts.authenticators import code_of, enrol
from tests.accounts.people import OTHER_PASSWORD, PASSWORD, make_user
from tests.idempotency.test_parallel_requests import in_threads

AT_ONCE = 8


@pytest.fixture
def carol(real_commits: Any) -> User:
    return make_user("carol@acme.example", "Carol")


def _refresh(number: int, *, token: str, actor: Actor) -> services.SignIn:
    return services.refresh_session(refresh_token=token, actor=actor)


def outcome(act: Any, *refusals: type[Exception]) -> Any:
    try:
        return act()
    except refusals as refusal:
        return type(refusal)


def test_parallel_refreshes_get_the_same_successor(
    real_commits: Any, carol: User, visitor: Actor
) -> None:
    token = services.sign_in(email=carol.email, password=PASSWORD, actor=visitor).tokens.refresh
    for _ in range(10):
        answers = in_threads(
            AT_ONCE,
            real_commits,
            partial(_refresh, token=token, actor=visitor),
        )
        assert len({answer.session.current_token_id for answer in answers}) == 1
        token = answers[0].tokens.refresh

    session = Session.objects.get()
    assert session.revoked_at is None


def test_of_parallel_thieves_and_owners_nobody_keeps_a_session(
    real_commits: Any, carol: User, visitor: Actor
) -> None:
    first = services.sign_in(email=carol.email, password=PASSWORD, actor=visitor)
    second = services.refresh_session(refresh_token=first.tokens.refresh, actor=visitor)
    third = services.refresh_session(refresh_token=second.tokens.refresh, actor=visitor)
    tokens = [first.tokens.refresh, third.tokens.refresh] * 4

    in_threads(
        AT_ONCE,
        real_commits,
        lambda number: outcome(
            lambda: services.refresh_session(refresh_token=tokens[number], actor=visitor),
            RefreshRefused,
        ),
    )

    session = Session.objects.get()
    assert session.revoked_reason == Session.EndReason.REUSE
    with pytest.raises(RefreshRefused):
        services.refresh_session(refresh_token=third.tokens.refresh, actor=visitor)


def test_parallel_guesses_count_each(real_commits: Any, carol: User, visitor: Actor) -> None:
    outcomes = in_threads(
        16,
        real_commits,
        lambda number: outcome(
            lambda: services.sign_in(email=carol.email, password="a guess", actor=visitor),
            CredentialsRefused,
            TooManyAttempts,
        ),
    )

    assert outcomes.count(CredentialsRefused) == 5
    assert outcomes.count(TooManyAttempts) == 11


def test_one_totp_code_opens_one_session(real_commits: Any, carol: User, visitor: Actor) -> None:
    secret, _ = enrol(carol, actor=visitor)
    sessions = [
        services.sign_in(email=carol.email, password=PASSWORD, actor=visitor).session
        for _ in range(AT_ONCE)
    ]
    code = code_of(secret)

    outcomes = in_threads(
        AT_ONCE,
        real_commits,
        lambda number: outcome(
            lambda: services.verify_second_factor(
                code=code,
                actor=visitor.changed(user_id=carol.id, session_id=sessions[number].id),
            ),
            SecondFactorWrong,
            TooManyAttempts,
        ),
    )

    assert outcomes.count(None) == 1
    assert Session.objects.filter(second_factor_at__isnull=False).count() == 1


def test_one_recovery_code_opens_one_session(
    real_commits: Any, carol: User, visitor: Actor
) -> None:
    _, codes = enrol(carol, actor=visitor)
    sessions = [
        services.sign_in(email=carol.email, password=PASSWORD, actor=visitor).session
        for _ in range(4)
    ]

    outcomes = in_threads(
        4,
        real_commits,
        lambda number: outcome(
            lambda: services.verify_second_factor(
                code=codes[0],
                actor=visitor.changed(user_id=carol.id, session_id=sessions[number].id),
            ),
            SecondFactorWrong,
            TooManyAttempts,
        ),
    )

    assert outcomes.count(None) == 1


def test_one_login_code_begins_one_session(real_commits: Any, carol: User, visitor: Actor) -> None:
    code = services.issue_login_code(user_id=carol.id, actor=visitor)

    outcomes = in_threads(
        AT_ONCE,
        real_commits,
        lambda number: outcome(
            lambda: services.redeem_login_code(code=code, actor=visitor), SecretRefused
        ),
    )

    assert outcomes.count(SecretRefused) == AT_ONCE - 1
    assert Session.objects.count() == 1


def test_no_session_survives_a_parallel_change_of_password(
    real_commits: Any, carol: User, visitor: Actor
) -> None:
    """Whoever signs in with the old password is either refused or signed out by the change."""
    own = services.sign_in(email=carol.email, password=PASSWORD, actor=visitor).session
    themselves = visitor.changed(user_id=carol.id, session_id=own.id)

    def act(number: int) -> Any:
        if number == 0:
            return services.change_password(
                old_password=PASSWORD, new_password=OTHER_PASSWORD, actor=themselves
            )
        return outcome(
            lambda: services.sign_in(email=carol.email, password=PASSWORD, actor=visitor),
            CredentialsRefused,
            TooManyAttempts,
        )

    in_threads(5, real_commits, act)

    assert list(Session.objects.filter(revoked_at__isnull=True)) == [own]


def test_two_invitations_of_one_address_make_one_person(real_commits: Any, manager: Actor) -> None:
    from shared_apps.accounts.errors import EmailTaken

    outcomes = in_threads(
        4,
        real_commits,
        lambda number: outcome(
            lambda: services.invite_user(
                email=f"{'Dora' if number % 2 else 'dora'}@acme.example",
                full_name="Dora",
                actor=manager,
            ),
            EmailTaken,
        ),
    )

    assert outcomes.count(EmailTaken) == 3
    assert User.objects.with_email("dora@acme.example").count() == 1


@pytest.mark.slow
def test_parallel_processes_get_the_same_successor(
    real_commits: Any, carol: User, visitor: Actor
) -> None:
    import subprocess
    import sys
    import time

    from django.db import connection

    from tests import databases

    token = services.sign_in(email=carol.email, password=PASSWORD, actor=visitor).tokens.refresh
    start = str(time.time() + 20)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.accounts.refresher", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=databases.ROOT,
            env=databases.environment_for(str(connection.settings_dict["NAME"])),
        )
        for _ in range(3)
    ]
    answers = {process.communicate(token, timeout=120)[0] for process in processes}

    assert len(answers) == 1
    assert answers == {str(Session.objects.get().current_token_id)}
