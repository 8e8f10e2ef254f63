"""Teams are founded and moved at the same moment."""

from functools import partial
from typing import Any

from shared_apps.access import services as access
from shared_apps.access.models import Membership, Unit
from tenant_apps.teams import services
from tenant_apps.teams.models import Team
from tests.approvals.test_parallel_signatures import at_once
from tests.people import actor_of, make_person, make_team


def paths_are_true() -> bool:
    """Every path is the parent's path and the own id."""
    return all(
        unit.parent is not None and unit.path == unit.parent.path_below(unit.pk)
        for unit in Unit.objects.select_related("parent").exclude(parent=None)
    )


def test_a_team_founded_below_a_moving_one_moves_along(real_commits: Any) -> None:
    admin = make_person("Ada Admin", role="admin")
    office, team = make_team("Office"), make_team("Team")

    for number in range(4):
        parent_id = office.pk if number % 2 == 0 else None
        ends = at_once(
            real_commits,
            [
                partial(
                    services.change_team,
                    actor=actor_of(admin),
                    team_id=team.pk,
                    changes={"parent_id": parent_id},
                ),
                partial(
                    services.create_team,
                    actor=actor_of(admin),
                    name=f"Inner {number}",
                    parent_id=team.pk,
                ),
            ],
        )
        assert ends == ["done", "done"]
        assert paths_are_true()


def test_two_teams_do_not_end_up_below_each_other(real_commits: Any) -> None:
    admin = make_person("Ada Admin", role="admin")
    first, second = make_team("First"), make_team("Second")

    ends = at_once(
        real_commits,
        [
            lambda: services.change_team(
                actor=actor_of(admin), team_id=first.pk, changes={"parent_id": second.pk}
            ),
            lambda: services.change_team(
                actor=actor_of(admin), team_id=second.pk, changes={"parent_id": first.pk}
            ),
        ],
    )

    assert ends == ["done", "rule_refused"]
    assert paths_are_true()
    assert Team.objects.exclude(parent=None).count() == 1


def test_leads_are_appointed_and_dropped_without_a_deadlock(real_commits: Any) -> None:

    admin = make_person("Ada Admin", role="admin")
    people = [make_person(f"Person {number}") for number in range(2)]
    team = make_team("Team", lead=people[0])

    for number in range(4):
        current, other = people[number % 2], people[(number + 1) % 2]
        held = Membership.objects.get(user=current, is_active=True)
        ends = at_once(
            real_commits,
            [
                partial(
                    services.appoint_lead,
                    actor=actor_of(admin),
                    team_id=team.pk,
                    user_id=other.pk,
                ),
                partial(access.revoke_membership, actor=actor_of(admin), membership_id=held.pk),
            ],
        )
        assert set(ends) <= {"done", "membership_ended"}
        team.refresh_from_db()
        assert team.lead_id == other.pk
