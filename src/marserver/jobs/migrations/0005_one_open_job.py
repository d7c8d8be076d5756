from typing import Any

from django.db import migrations, models
from django.db.models.functions import Coalesce


def end(apps: Any, schema_editor: Any) -> None:
    """Give a time to what ended without one."""
    ended = apps.get_model("jobs", "Job").objects.filter(status__in=("done", "failed", "cancelled"))
    ended.filter(ended_at=None).update(ended_at=Coalesce("started_at", "queued_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0004_put_off"),
    ]

    operations = [
        migrations.RunPython(end, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name="job",
            name="one_alive_job_per_target",
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("target",),
                name="one_open_job_per_target",
            ),
        ),
    ]
