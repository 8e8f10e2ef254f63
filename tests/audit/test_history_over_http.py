"""The actor of field history in real requests, where nobody is known before the token is read."""

from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from shared_apps.accounts import services
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor
from tests.accounts.clients import HostClient
from tests.accounts.people import PASSWORD, make_user


def signed_in(user: User) -> HostClient:
    visitor = Actor(request_id="test-visitor", ip_address="198.51.100.7")
    signed_in = services.sign_in(email=user.email, password=PASSWORD, actor=visitor)
    return HostClient(REMOTE_ADDR="198.51.100.9").carrying(signed_in.tokens.access)


def history_of(user: User) -> Any:
    content_type = ContentType.objects.get_for_model(User)
    return LogEntry.objects.filter(content_type=content_type, object_pk=str(user.pk)).latest("id")


def test_names_the_person_behind_the_token_and_hides_what_is_personal(tenant: Any) -> None:
    alice = make_user("alice@acme.example", "Alice Owner")
    answer = signed_in(alice).patch(
        "/api/v1/profile/",
        {"full_name": "Alice Changed", "language": "sw"},
        format="json",
        headers={"X-Request-Id": "request-of-alice"},
    )
    assert answer.status_code == 200, answer.content

    entry = history_of(alice)
    assert entry.actor_id == alice.pk
    assert entry.remote_addr == "198.51.100.9"
    assert entry.cid == "request-of-alice"
    assert entry.changes["language"] == ["en", "sw"]
    assert entry.changes["full_name"] == ["***", "***"]
    assert "Alice" not in str(vars(entry))


def test_the_next_request_on_the_thread_is_somebody_elses(tenant: Any) -> None:
    alice, bob = make_user("alice@acme.example"), make_user("bob@acme.example")
    as_alice, as_bob = signed_in(alice), signed_in(bob)
    for client, language in ((as_alice, "sw"), (as_bob, "fr"), (as_alice, "de")):
        client.patch("/api/v1/profile/", {"language": language}, format="json")

    assert history_of(alice).actor_id == alice.pk
    assert history_of(bob).actor_id == bob.pk
