"""What a login tells of itself, the end of all logins at once, and failures by address."""

from django.db import migrations, models
from django.utils.timezone import now


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.AddField("token", "address", models.CharField(default="", max_length=64)),
        migrations.AddField("token", "agent", models.CharField(default="", max_length=100)),
        migrations.AddField("token", "used", models.DateTimeField(default=now), preserve_default=False),
        migrations.AddField("token", "logins_ended", models.PositiveIntegerField(default=0)),
        migrations.AddField("user", "logins_ended", models.PositiveIntegerField(default=0)),
        migrations.AddIndex(
            "loginfailure", models.Index(fields=["address", "at"], name="failures_of_address")
        ),
    ]
