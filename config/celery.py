"""The task application: `celery -A config.celery`."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("kontor", task_cls="tenants.tasks:TenantTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "heartbeat": {"task": "config.health.beat", "schedule": 10.0, "options": {"expires": 30}},
    "spare schemas": {
        "task": "tenants.tasks.keep_spare_schemas",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    # Requests call both after commit; this finds what a lost call has left behind.
    "outbox": {
        "task": "shared_apps.outbox.tasks.poll",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "mail": {
        "task": "shared_apps.delivery.tasks.poll",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "lost secret mails": {
        "task": "shared_apps.delivery.tasks.give_up_lost_secrets_everywhere",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # What a crash or an empty pool left between the verified address and the organization.
    "waiting sign-ups": {
        "task": "shared_apps.onboarding.tasks.finish_sign_ups",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "expired holds": {
        "task": "tenant_apps.ledger.tasks.expire_holds_everywhere",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "credits to be counted": {
        "task": "tenant_apps.ledger.tasks.fold_credits_everywhere",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "history of the books": {
        "task": "tenant_apps.ledger.tasks.settle_history_everywhere",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "invariants": {
        "task": "tenant_apps.invariants.tasks.watch_everywhere",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # An invoice that comes first puts them into force itself.
    "due credit limits": {
        "task": "tenant_apps.limits.tasks.apply_due_limits_everywhere",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "expired secrets": {"task": "accounts.delete_expired_everywhere", "schedule": 3600.0},
    "old idempotency keys": {"task": "idempotency.free_old_keys_everywhere", "schedule": 3600.0},
    "seals": {
        "task": "shared_apps.seals.tasks.seal_everywhere",
        "schedule": 300.0,
        "options": {"expires": 240},
    },
    # Once a day for each organization; asked often, so that no restart skips a day.
    "anchors of seals": {
        "task": "shared_apps.seals.tasks.anchor_everywhere",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    "old audit entries": {
        "task": "shared_apps.seals.tasks.drop_old_everywhere",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    # Sales of phone charge that nobody knows the outcome of, and batches whose call was lost.
    "running charge sales": {
        "task": "tenant_apps.wallets.tasks.poll",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    # What waited for a plan or an exchange rate that is known by now.
    "waiting commissions": {
        "task": "tenant_apps.commissions.tasks.complete_waiting_everywhere",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
}


@signals.worker_process_init.connect
def start_without_connections(**kwargs: Any) -> None:
    """A forked worker never uses its parent's connections."""
    from django.db import connections  # noqa: PLC0415  (Django is set up by now, not before)

    connections.close_all()


@signals.worker_ready.connect
def tell_that_it_lives(**kwargs: Any) -> None:
    """The first heartbeat need not wait for the scheduler's turn."""
    app.send_task("config.health.beat", expires=30)


@signals.task_postrun.connect
def leave_tenant(**kwargs: Any) -> None:
    """After each task the connection is in no tenant, whatever happened."""
    from tenants.connections import connection  # noqa: PLC0415

    task = kwargs.get("task")
    if task is None or not task.request.is_eager:
        connection.set_no_tenant()
