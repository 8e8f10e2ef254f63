"""An account's holds of any state are found newest first, as lists show them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0051_expire_holds")]
    operations = [
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["account", "id"], name="ledger_hold_account"),
        ),
    ]
