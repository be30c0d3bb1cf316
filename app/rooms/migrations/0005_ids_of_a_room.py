from django.db import migrations


class Migration(migrations.Migration):
    """Only now: the version before this one looked for ids by this index, and finds them by the new one."""

    dependencies = [("rooms", "0004_ids_of_a_person")]

    operations = [migrations.RemoveConstraint(model_name="message", name="one_message_an_id")]
