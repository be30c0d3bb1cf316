from django.db import migrations, models

import topics.models


class Migration(migrations.Migration):
    """The version before this one makes the row without it: the database fills in the empty one."""

    dependencies = [("topics", "0002_notices")]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="lineage",
            field=models.CharField(db_default="", default=topics.models.new_epoch, editable=False, max_length=16),
        ),
        migrations.AlterModelOptions(name="entry", options={"verbose_name_plural": "entries"}),
    ]
