"""What others post in a second: `python -m scripts.benchmarks.peers PEER SECONDS`.

`hordak` is django-hordak, one transaction of two legs after another, as its documentation writes
them. `select_for_update` is what is usually written by hand: lock two rows, look, save both, add
one. `prepare` makes the tables of both. Each has a schema of its own in the benchmark's database,
on the same cluster with the same durability; prints transactions a second.
"""

from __future__ import annotations

import os
import random
import sys
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.db import connection, models, transaction

from scripts.benchmarks.posting_client import in_rounds

SCHEMA = "bench_peers"
ACCOUNTS = 1000


def _configure() -> None:
    parts = urlsplit(os.environ["DATABASE_OWNER_URL"])
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path.lstrip("/"),
                "USER": unquote(parts.username or ""),
                "PASSWORD": unquote(parts.password or ""),
                "HOST": parts.hostname,
                "PORT": parts.port,
                "OPTIONS": {"options": f"-c search_path={SCHEMA}"},
            }
        },
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "mptt",
            "djmoney",
            "hordak",
        ],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        # Its default converter of currencies knows few.
        DEFAULT_CURRENCY="EUR",
        CURRENCIES=["EUR"],
        HORDAK_CURRENCIES=["EUR"],
        HORDAK_INTERNAL_CURRENCY="EUR",
    )
    django.setup()


def _by_hand() -> tuple[Any, Any]:
    class Balance(models.Model):
        posted = models.BigIntegerField(default=0)

        class Meta:
            app_label = "auth"
            db_table = "by_hand_balance"

    class Transfer(models.Model):
        id = models.UUIDField(primary_key=True)
        debit_id = models.IntegerField()
        credit_id = models.IntegerField()
        amount = models.BigIntegerField()

        class Meta:
            app_label = "auth"
            db_table = "by_hand_transfer"

    return Balance, Transfer


def prepare() -> None:
    """Make the tables of both peers."""
    from django.core.management import call_command

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    call_command("migrate", verbosity=0)
    balance, transfer = _by_hand()
    with connection.schema_editor() as editor:
        editor.create_model(balance)
        editor.create_model(transfer)
    balance.objects.bulk_create([balance(posted=10**9) for _ in range(ACCOUNTS)])


def _hordak() -> Callable[[], None]:
    from djmoney.money import Money
    from hordak.models import Account, AccountType, Leg, Transaction

    cash = Account.objects.create(name="Cash", type=AccountType.asset, currencies=["EUR"])
    sales = Account.objects.create(name="Sales", type=AccountType.income, currencies=["EUR"])
    amount = Money(5, "EUR")

    def post() -> None:
        posted = Transaction.objects.create()
        Leg.objects.create(transaction=posted, account=cash, debit=amount)
        Leg.objects.create(transaction=posted, account=sales, credit=amount)

    return post


def _select_for_update() -> Callable[[], None]:
    """One balance is shared by all."""
    balance, transfer = _by_hand()

    def post() -> None:
        wanted = (1, random.randint(2, ACCOUNTS))
        rows = balance.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
        shared, own = rows
        if own.posted >= 5:
            own.posted -= 5
            shared.posted += 5
            own.save(update_fields=["posted"])
            shared.save(update_fields=["posted"])
            transfer.objects.create(id=uuid.uuid4(), debit_id=1, credit_id=own.pk, amount=5)

    return post


PEERS = {"hordak": _hordak, "select_for_update": _select_for_update}


def run(peer: str, seconds: float) -> None:
    """For each line that is given, transactions a second over so many seconds."""
    post = PEERS[peer]()

    def commit() -> None:
        with transaction.atomic():
            post()

    in_rounds(commit, seconds=seconds)


if __name__ == "__main__":
    _configure()
    if sys.argv[1] == "prepare":
        prepare()
    else:
        run(sys.argv[1], float(sys.argv[2]))
