import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """The version before this one stores messages without a `person_key`: the database fills in the empty one."""

    dependencies = [("rooms", "0002_message_room_index")]

    operations = [
        migrations.CreateModel(
            name="Lineage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("salt", models.CharField(editable=False, max_length=16)),
            ],
        ),
        migrations.CreateModel(
            name="Making",
            fields=[
                (
                    "room",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="rooms.room",
                    ),
                ),
                ("person_key", models.TextField()),
                ("address", models.CharField(max_length=64)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["person_key", "at"], name="made_by_a_person"),
                    models.Index(fields=["address", "at"], name="made_from_an_address"),
                ],
            },
        ),
        migrations.AddField(
            model_name="message",
            name="person_key",
            field=models.TextField(db_default="", default="", editable=False),
        ),
    ]
