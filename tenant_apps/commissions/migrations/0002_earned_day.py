from django.db import migrations, models


class Migration(migrations.Migration):
    """What stands was earned on the day on which it took effect, as far as its row tells."""

    dependencies = [("commissions", "0001_plans_and_commissions")]

    operations = [
        migrations.AddField(
            model_name="commission",
            name="earned_on",
            field=models.DateField(null=True),
        ),
        migrations.RunSQL(
            sql="UPDATE commissions_commission SET earned_on = effective_on",
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="commission",
            name="earned_on",
            field=models.DateField(),
        ),
    ]
