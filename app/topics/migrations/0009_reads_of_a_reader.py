from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("topics", "0008_leaving")]

    operations = [
        migrations.AddIndex(
            model_name="read", index=models.Index(fields=["reader"], name="reads_of_a_reader")
        ),
    ]
