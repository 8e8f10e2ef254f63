from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Plans are set, and what waits is completed, by the day of earning."""

    dependencies = [("commissions", "0002_earned_day")]

    operations = [
        migrations.RemoveIndex(model_name="commission", name="commissions_waiting"),
        migrations.AddIndex(
            model_name="commission",
            index=models.Index(
                condition=Q(state="waiting"),
                fields=["earned_on", "id"],
                name="commissions_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="commission",
            index=models.Index(fields=["earned_on"], name="commissions_earned"),
        ),
        AddConstraintNotValid(
            model_name="commission",
            constraint=models.CheckConstraint(
                condition=Q(effective_on__gte=F("earned_on")),
                name="commissions_commission_effective_when_earned",
            ),
        ),
        ValidateConstraint(
            model_name="commission", name="commissions_commission_effective_when_earned"
        ),
    ]
