"""The currencies of ISO 4217, as the kernel knows them."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from shared_apps.kernel import currencies


def write_currencies(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    currency = apps.get_model("reference", "Currency")
    currency.objects.bulk_create(
        currency(code=code, decimals=currencies.decimals(code)) for code in sorted(currencies.CODES)
    )


class Migration(migrations.Migration):
    dependencies = [("reference", "0001_initial")]
    operations = [migrations.RunPython(write_currencies, migrations.RunPython.noop)]
