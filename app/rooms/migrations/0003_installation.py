from django.db import migrations, models

import rooms.models


class Migration(migrations.Migration):
    """A name for all processes that share this database; its row is made when the first of them asks."""

    dependencies = [("rooms", "0002_message_room_index")]

    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(default=rooms.models.new_epoch, editable=False, max_length=16)),
            ],
        ),
    ]
