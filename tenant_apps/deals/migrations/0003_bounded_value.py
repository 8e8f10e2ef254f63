from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    """One deal must not be able to fill the revenue account."""

    dependencies = [("deals", "0002_reference_sequence")]

    operations = [
        AddConstraintNotValid(
            model_name="deal",
            constraint=models.CheckConstraint(
                condition=models.Q(("value_minor__lte", 100000000000000)),
                name="deals_deal_value_bounded",
            ),
        ),
        ValidateConstraint(model_name="deal", name="deals_deal_value_bounded"),
    ]
