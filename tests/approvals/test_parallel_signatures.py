"""Several people, or one person twice, sign at the same moment."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection

from shared_apps.accounts.models import User
from shared_apps.kernel.errors import DomainError
from tenant_apps.approvals import services
from tenant_apps.approvals.models import Approval, ApprovalState, Signature
from tenants.context import tenant_context
from tests.approvals.conftest import ACTION, Effects
from tests.people import actor_of, make_person, make_team


def at_once(organization: Any, acts: list[Callable[[], Any]]) -> list[str]:
    """Run each act in a thread of its own, all let go together; what became of each."""
    gate = threading.Barrier(len(acts))
    ends: list[str] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            with tenant_context(organization):
                gate.wait(10)
                act()
            ends.append("done")
        except DomainError as error:
            ends.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(ends)


def ask(*, signatures: int) -> tuple[Approval, list[User]]:
    people = [make_person(f"Admin {number}", role="admin") for number in range(4)]
    maker = make_person("Maker", role="admin")
    asked = services.submit(subject=make_team("Storm"), action=ACTION, actor=actor_of(maker))
    Approval.objects.filter(pk=asked.pk).update(required_signatures=signatures)
    return asked, people


def test_of_several_last_signers_one_takes_effect(real_commits: Any, effects: Effects) -> None:
    asked, people = ask(signatures=1)

    ends = at_once(
        real_commits,
        [partial(services.sign, approval_id=asked.pk, actor=actor_of(person)) for person in people],
    )

    assert ends == ["approval_closed"] * 3 + ["done"]
    assert len(effects.done) == 1
    assert Signature.objects.count() == 1


def test_one_person_signs_once_however_often_at_once(real_commits: Any, effects: Effects) -> None:
    asked, people = ask(signatures=2)

    ends = at_once(
        real_commits,
        [lambda: services.sign(approval_id=asked.pk, actor=actor_of(people[0]))] * 4,
    )

    assert ends == ["approval_already_signed"] * 3 + ["done"]
    assert Signature.objects.count() == 1
    assert effects.done == []
    asked.refresh_from_db()
    assert asked.state == ApprovalState.PENDING


def test_two_signers_of_two_both_count(real_commits: Any, effects: Effects) -> None:
    asked, people = ask(signatures=2)

    ends = at_once(
        real_commits,
        [
            partial(services.sign, approval_id=asked.pk, actor=actor_of(person))
            for person in people[:2]
        ],
    )

    assert ends == ["done", "done"]
    assert len(effects.done) == 1
