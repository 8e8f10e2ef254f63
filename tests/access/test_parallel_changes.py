"""Two people change rights at the same moment."""

from functools import partial
from typing import Any

from shared_apps.access import services
from shared_apps.access.models import Membership
from shared_apps.access.selectors import administering_memberships, root_unit
from shared_apps.audit.models import AuditEntry
from tests.approvals.test_parallel_signatures import at_once
from tests.people import actor_of, make_person


def test_two_admins_do_not_remove_each_other(real_commits: Any) -> None:
    people = [make_person(f"Admin {number}", role="admin") for number in range(2)]
    held = [Membership.objects.get(user=person) for person in people]

    ends = at_once(
        real_commits,
        [
            lambda: services.revoke_membership(actor=actor_of(people[0]), membership_id=held[1].pk),
            lambda: services.revoke_membership(actor=actor_of(people[1]), membership_id=held[0].pk),
        ],
    )

    assert "done" in ends
    assert ends.count("done") == 1
    assert administering_memberships().active().count() == 1


def test_several_admins_do_not_all_leave(real_commits: Any) -> None:
    people = [make_person(f"Admin {number}", role="admin") for number in range(4)]

    def leave(person: Any) -> None:
        own = Membership.objects.get(user=person)
        services.revoke_membership(actor=actor_of(person), membership_id=own.pk)

    ends = at_once(real_commits, [partial(leave, person) for person in people])

    assert ends == ["done", "done", "done", "last_admin"]
    assert administering_memberships().active().count() == 1


def test_two_admins_do_not_deactivate_each_other(real_commits: Any) -> None:
    people = [make_person(f"Admin {number}", role="admin") for number in range(2)]

    ends = at_once(
        real_commits,
        [
            lambda: services.deactivate_person(actor=actor_of(people[0]), user_id=people[1].pk),
            lambda: services.deactivate_person(actor=actor_of(people[1]), user_id=people[0].pk),
        ],
    )

    assert ends.count("done") == 1
    assert administering_memberships().active().count() == 1


def test_the_same_role_is_given_once(real_commits: Any) -> None:
    admin = make_person("Ada Admin", role="admin")
    person = make_person("Nora New")

    ends = at_once(
        real_commits,
        [
            lambda: services.grant_membership(
                actor=actor_of(admin),
                user_id=person.pk,
                unit_id=root_unit().pk,
                role="supervisor",
            )
        ]
        * 4,
    )

    assert ends == ["already_member"] * 3 + ["done"]
    assert Membership.objects.filter(user=person).count() == 1
    given = AuditEntry.objects.filter(event_name="access.membership_granted")
    assert given.filter(payload__user_id=str(person.pk)).count() == 1


def test_an_admin_whose_rights_end_meanwhile_gives_nothing_more(real_commits: Any) -> None:
    first, second = (make_person(f"Admin {number}", role="admin") for number in range(2))
    person = make_person("Nora New")
    stale = actor_of(second)
    own = Membership.objects.get(user=second)

    ends = at_once(
        real_commits,
        [
            lambda: services.revoke_membership(actor=actor_of(first), membership_id=own.pk),
            lambda: services.grant_membership(
                actor=stale, user_id=person.pk, unit_id=root_unit().pk, role="admin"
            ),
        ],
    )

    # Whichever came first: after the end of the rights nothing was given with them.
    entries = AuditEntry.objects.filter(
        event_name__in=["access.membership_granted", "access.membership_revoked"],
        actor_user_id__in=[first.pk, second.pk],
    ).order_by("id")
    names = [entry.event_name.rpartition(".")[2] for entry in entries]
    assert names in (["membership_revoked"], ["membership_granted", "membership_revoked"]), ends
