import django.utils.timezone
import files.models
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='File',
            fields=[
                ('id', models.CharField(default=files.models.new_key, max_length=32, primary_key=True, serialize=False)),
                ('place', models.CharField(db_index=True, max_length=200)),
                ('owner', models.CharField(max_length=150)),
                ('address', models.CharField(blank=True, max_length=64)),
                ('name', models.CharField(max_length=120)),
                ('type', models.CharField(max_length=100)),
                ('length', models.PositiveBigIntegerField()),
                ('size', models.PositiveBigIntegerField(default=0)),
                ('received', models.PositiveBigIntegerField(default=0)),
                ('pieces', models.JSONField(default=list)),
                ('stored', models.CharField(blank=True, max_length=100)),
                ('preview', models.CharField(blank=True, max_length=100)),
                ('width', models.PositiveIntegerField(null=True)),
                ('height', models.PositiveIntegerField(null=True)),
                ('inline', models.BooleanField(default=False)),
                ('said', models.BooleanField(default=False)),
                ('gone', models.BooleanField(default=False)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'indexes': [models.Index(fields=['owner', 'at'], name='files_of_an_owner'), models.Index(fields=['address', 'at'], name='files_from_an_address'), models.Index(condition=models.Q(('said', False), ('gone', True), _connector='OR'), fields=['at'], name='files_to_sweep')],
            },
        ),
    ]
