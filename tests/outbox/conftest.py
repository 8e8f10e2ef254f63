import pytest

from shared_apps.kernel import clock
from shared_apps.outbox.models import OutboxMessage
from tenants.context import tenant_context
from tenants.selectors import served_organizations


@pytest.fixture(autouse=True)
def nothing_waits(request: pytest.FixtureRequest) -> None:
    """What making the organizations has written is not these tests' concern."""
    if not {"tenant", "real_commits"} & set(request.fixturenames):
        return
    request.getfixturevalue("tenant" if "tenant" in request.fixturenames else "real_commits")
    for organization in served_organizations():
        with tenant_context(organization):
            OutboxMessage.objects.open().update(relayed_at=clock.now())
