"""What must hold after any storm."""

from tenant_apps.dashboards.recounting import differences


def assert_rollup_is_recount() -> None:
    assert differences() == []
