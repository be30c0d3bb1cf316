from typing import Any

from django.db import migrations, transaction

from rooms import before, carrying

TABLE = "rooms_opened"  # while the version before serves, `rooms_room` is what it finds


class CarryOver(migrations.SeparateDatabaseAndState):
    """What was said in rooms becomes their topics' events, and a room keeps its name.

    Where a version before may be serving, it goes on finding its tables. Else they go at once.
    """

    reversible = False
    reduces_to_sql = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        connection = schema_editor.connection
        if connection.vendor == "postgresql" and before.serves(connection):
            before.carry_over(connection)
            return
        with transaction.atomic(connection.alias):
            carrying.copy_by_models(from_state.apps, connection.alias)
            super().database_forwards(app_label, schema_editor, from_state, to_state)


OPERATIONS = [
    migrations.DeleteModel("Message"),
    migrations.DeleteModel("Lineage"),
    migrations.RemoveField("room", "epoch"),
    migrations.RemoveField("room", "seq"),
    migrations.RemoveField("room", "changed_at"),
    migrations.AlterModelTable("room", TABLE),
]


class Migration(migrations.Migration):
    atomic = False  # what was copied stays copied, and an index is built meanwhile

    dependencies = [("rooms", "0005_ids_of_a_room"), ("topics", "0003_installation_lineage")]

    operations = [CarryOver(database_operations=OPERATIONS, state_operations=OPERATIONS)]
