from typing import Any

from django.db import migrations, models

NAME = "one_message_an_id_of_a_person"


class AddConstraintMeanwhile(migrations.AddConstraint):
    """On Postgres the index is built while messages are stored: a large table would be locked for minutes otherwise.

    What an attempt that was interrupted has left is removed first.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        for statement in (
            f"ALTER TABLE rooms_message DROP CONSTRAINT IF EXISTS {NAME}",
            f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",
            f"CREATE UNIQUE INDEX CONCURRENTLY {NAME} ON rooms_message (room_id, client_id, person_key)",
            f"ALTER TABLE rooms_message ADD CONSTRAINT {NAME} UNIQUE USING INDEX {NAME}",
        ):
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    suits_the_version_before = "whose own constraint, without the person, is the stricter one"
    atomic = False

    dependencies = [("rooms", "0003_who_said_and_made_it")]

    operations = [
        AddConstraintMeanwhile(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("room", "client_id", "person_key"), name=NAME),
        ),
    ]
