"""Whether the version that serves can live with what is to be migrated: `make rollout` asks before it touches anything.

django-migration-linter judges the SQL of each operation. What runs Python it cannot see.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django_migration_linter.sql_analyser.analyser import get_sql_analyser_class

# A migration that a person has judged has an attribute of this name, which says why the version before lives with it.
JUDGED: Final = "suits_the_version_before"

REFUSED: Final = {
    "ADD_UNIQUE": "the version that serves may store what the constraint forbids. First release code that keeps to it, "
    "and the constraint with the release after that",
    "ALTER_COLUMN": "the version that serves reads and writes the column as it was. First release a second column and "
    "code that writes both, and drop the other one with the release after that",
    "DROP_COLUMN": "the version that serves reads and writes the column. First release code without the field, which "
    "leaves the column as it is (state_operations of SeparateDatabaseAndState; it must have a db_default or be null), "
    "and drop it with the release after that",
    "DROP_TABLE": "the version that serves reads and writes the table. First release code without the model, which "
    "leaves the table as it is (state_operations of SeparateDatabaseAndState), and drop it with the release after that",
    "NOT_NULL": "the version that serves stores rows that have nothing there. Give the field a db_default, or let it "
    "be null until the release after this one",
    "RENAME_COLUMN": "the version that serves asks for the column by its old name. Leave it that name by db_column",
    "RENAME_TABLE": "the version that serves asks for the table by its old name. Leave it that name by db_table",
}
TAKES_TIME: Final = {
    "CREATE_INDEX": "nobody writes into the table while the index is built. AddIndexConcurrently builds it meanwhile",
    "DROP_INDEX": "nobody reads the table while it waits for a long query. RemoveIndexConcurrently waits alone",
}


class Operation(NamedTuple):
    """What a migration does in one step."""

    says: str  # which migration, which operation
    sql: list[str]


class Command(BaseCommand):
    help = "Say which migrations the version that serves could not live with while both serve, and how to do them."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app", nargs="*", help="all migrations of these apps, instead of those that are missing")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            self.stdout.write("Two versions serve together on Postgres only: there is nothing to check.")
            return
        apps = set(options["app"])
        migrations = of_apps(apps) if apps else missing()
        refused = []
        for operation in steps(migrations):
            errors, warnings = judged(operation.sql)
            refused += [f"{operation.says}: {REFUSED.get(code, code)}." for code in errors]
            for code in warnings & TAKES_TIME.keys():
                self.stderr.write(f"{operation.says}: {TAKES_TIME[code]}.")
        if refused:
            raise CommandError("\n".join(refused))


def missing() -> list[Migration]:
    """Those that `migrate` would run, but for apps that the version that serves does not have."""
    executor = MigrationExecutor(connection)
    there = {app for app, _ in executor.loader.applied_migrations}
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [migration for migration, _ in plan if migration.app_label in there]


def of_apps(apps: set[str]) -> list[Migration]:
    return [migration for (app, _), migration in sorted(MigrationLoader(None).graph.nodes.items()) if app in apps]


def steps(migrations: list[Migration]) -> Iterator[Operation]:
    """The SQL of each operation, behind the tables that its migration has made before it. Nothing is executed."""
    loader = MigrationLoader(None)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")  # for operations that do not wait to be asked
        for migration in migrations:
            if hasattr(migration, JUDGED):
                continue
            made: list[str] = []
            state = loader.project_state((migration.app_label, migration.name), at_end=False)
            for operation in migration.operations:
                before = state.clone()
                operation.state_forwards(migration.app_label, state)
                if not operation.reduces_to_sql:
                    continue
                with connection.schema_editor(collect_sql=True, atomic=False) as editor:
                    operation.database_forwards(migration.app_label, editor, before, state)
                # As the linter reads it: on one line, in capital letters.
                sql = [" ".join(line.upper().split()) for line in editor.collected_sql if not line.startswith("--")]
                yield Operation(f"{migration}, “{operation.describe()}”", made + sql)
                made += [line for line in sql if line.startswith("CREATE TABLE")]


def judged(sql: list[str]) -> tuple[set[str], set[str]]:
    """Codes of what the version before cannot live with, and of what makes people wait."""
    analyser = get_sql_analyser_class(connection.vendor)([])
    analyser.analyse(sql)
    return {issue.code for issue in analyser.errors}, {issue.code for issue in analyser.warnings}
