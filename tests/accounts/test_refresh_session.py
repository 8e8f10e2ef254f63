"""Refreshing a session: one current token, a short grace, and an end for thieves."""

from datetime import timedelta

import pytest

from shared_apps.accounts import services
from shared_apps.accounts.errors import RefreshRefused
from shared_apps.accounts.models import Session
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor


def _refresh(token: str, actor: Actor) -> services.SignIn:
    return services.refresh_session(refresh_token=token, actor=actor)


def test_gives_the_next_pair(signed_in: services.SignIn, visitor: Actor) -> None:
    following = _refresh(signed_in.tokens.refresh, visitor)

    assert following.tokens.refresh != signed_in.tokens.refresh
    assert following.session.id == signed_in.session.id


def test_gives_the_same_successor_within_the_grace(
    signed_in: services.SignIn, visitor: Actor
) -> None:
    first = _refresh(signed_in.tokens.refresh, visitor)
    second = _refresh(signed_in.tokens.refresh, visitor)

    assert first.session.current_token_id == second.session.current_token_id
    assert Session.objects.get().revoked_at is None


def test_ends_the_family_when_a_spent_token_returns(
    signed_in: services.SignIn, visitor: Actor
) -> None:
    with clock.frozen(clock.now()) as time:
        following = _refresh(signed_in.tokens.refresh, visitor)
        time.advance(seconds=11)
        with pytest.raises(RefreshRefused):
            _refresh(signed_in.tokens.refresh, visitor)
        with pytest.raises(RefreshRefused):
            _refresh(following.tokens.refresh, visitor)

    session = Session.objects.get()
    assert session.revoked_reason == Session.EndReason.REUSE
    assert AuditEntry.objects.filter(event_name="accounts.session_reuse_detected").count() == 1


def test_ends_the_family_when_a_grandparent_returns_within_the_grace(
    signed_in: services.SignIn, visitor: Actor
) -> None:
    following = _refresh(signed_in.tokens.refresh, visitor)
    _refresh(following.tokens.refresh, visitor)
    with pytest.raises(RefreshRefused):
        _refresh(signed_in.tokens.refresh, visitor)

    assert Session.objects.get().revoked_reason == Session.EndReason.REUSE


def test_refuses_after_seven_idle_days(signed_in: services.SignIn, visitor: Actor) -> None:
    with clock.frozen(clock.now() + timedelta(days=7, seconds=1)):
        with pytest.raises(RefreshRefused):
            _refresh(signed_in.tokens.refresh, visitor)


def test_refuses_after_thirty_days_however_diligent(
    signed_in: services.SignIn, visitor: Actor
) -> None:
    Session.objects.update(created_at=clock.now() - timedelta(days=30))
    with pytest.raises(RefreshRefused):
        _refresh(signed_in.tokens.refresh, visitor)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\x00", "é" * 50, "x" * 5000])
def test_refuses_what_is_no_token(token: str, tenant: object, visitor: Actor) -> None:
    with pytest.raises(RefreshRefused):
        _refresh(token, visitor)


def test_refuses_an_access_token(signed_in: services.SignIn, visitor: Actor) -> None:
    with pytest.raises(RefreshRefused):
        _refresh(signed_in.tokens.access, visitor)

    assert Session.objects.get().revoked_at is None
