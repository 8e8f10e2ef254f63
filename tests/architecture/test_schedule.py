"""Background work of the platform has somebody who calls it."""

from config.celery import app

# Called when a transaction commits, and by the polls.
WOKEN = {
    "shared_apps.outbox.tasks.relay_platform",
    "shared_apps.delivery.tasks.send_platform",
}


def test_every_task_of_the_platform_is_scheduled_or_woken() -> None:
    app.loader.import_default_modules()
    ours = ("config.", "tenants.", "shared_apps.", "tenant_apps.")
    platform = {
        name
        for name, task in app.tasks.items()
        if getattr(task, "platform", False) and type(task).__module__.startswith(ours)
    }
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert platform - WOKEN == scheduled
