"""The verbs that services obtain and lock rows with."""

from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from shared_apps.access.models import Role
from shared_apps.kernel import clock
from shared_apps.kernel.errors import NotFound
from shared_apps.kernel.ids import uuid7

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def roles() -> list[Role]:
    return [Role.objects.create(code=f"role-{number}", name="A role") for number in range(3)]


def test_obtains_the_row_or_says_not_found(roles: list[Role]) -> None:
    assert Role.objects.obtain(roles[0].pk) == roles[0]
    for hidden in (Role.objects.all(), Role.objects.none()):
        with pytest.raises(NotFound) as missing:
            hidden.obtain(uuid4())
    assert "role" in missing.value.detail


def test_locks_the_row_but_not_those_that_point_at_it(roles: list[Role]) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert Role.objects.order_by("name").locked(roles[0].pk) == roles[0]
    assert captured[-1]["sql"].endswith('FOR NO KEY UPDATE OF "access_role"')


def test_locks_only_inside_a_transaction() -> None:
    assert connection.in_atomic_block
    with pytest.raises(NotFound), transaction.atomic():
        Role.objects.locked(uuid7())


def test_locks_many_in_the_order_of_their_ids(roles: list[Role]) -> None:
    wanted = [roles[2].pk, roles[0].pk, roles[2].pk]
    with CaptureQueriesContext(connection) as captured:
        locked = Role.objects.locked_all(wanted)
    assert [role.pk for role in locked] == sorted({*wanted})
    assert 'ORDER BY "access_role"."id" ASC' in captured[-1]["sql"]


def test_locks_all_or_says_not_found(roles: list[Role]) -> None:
    with pytest.raises(NotFound):
        Role.objects.locked_all([roles[0].pk, uuid4()])
    assert Role.objects.locked_all([]) == []


def test_remembers_when_it_was_made_and_saved() -> None:
    with clock.frozen(clock.now()) as stopped:
        role = Role.objects.create(code="timed", name="Timed")
        assert role.created_at == role.updated_at == stopped.at
        made = stopped.at
        stopped.advance(days=1)
        role.save()
    role.refresh_from_db()
    assert (role.created_at, role.updated_at) == (made, stopped.at)


def test_ids_are_in_the_order_of_making(roles: list[Role]) -> None:
    assert [role.pk for role in roles] == sorted(role.pk for role in roles)
