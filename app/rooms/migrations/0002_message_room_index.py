import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Two unique constraints begin with the room already: a third index would only be written."""

    dependencies = [("rooms", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="room",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="rooms.room",
            ),
        ),
    ]
