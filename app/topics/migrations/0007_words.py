from typing import Any

import django.db.models.deletion
from django.db import migrations, models

# What the search asks, to the letter: see topics.searching.finding. The texts are lists of words already.
INDEX = (
    "CREATE INDEX topics_words_listed ON topics_words"
    " USING gin (array_to_tsvector(string_to_array(btrim(text), ' ')))"
)


def index(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(INDEX)


class Migration(migrations.Migration):
    dependencies = [("topics", "0006_makers")]

    operations = [
        migrations.CreateModel(
            name="Filled",
            fields=[
                (
                    "log",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="filled",
                        serialize=False,
                        to="topics.log",
                    ),
                ),
                ("seq", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Words",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="words",
                        serialize=False,
                        to="topics.entry",
                    ),
                ),
                (
                    "log",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="topics.log",
                    ),
                ),
                ("text", models.TextField()),
            ],
            options={
                "verbose_name_plural": "words",
                "indexes": [models.Index(fields=["log", "entry"], name="words_of_a_log")],
            },
        ),
        migrations.RunPython(index, migrations.RunPython.noop),
    ]
