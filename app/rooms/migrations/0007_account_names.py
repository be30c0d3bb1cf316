import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Without a constraint: the version before may delete accounts meanwhile."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("rooms", "0006_topics"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountName",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="looks",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("likeness", models.CharField(db_index=True, max_length=150)),
            ],
        ),
    ]
