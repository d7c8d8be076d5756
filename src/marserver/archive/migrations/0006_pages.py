# Indexes for what the pages count and list

import django.db.models.functions.comparison
import django.db.models.functions.math
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0005_astrometry"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="individualfile",
            name="frame_field_band",
        ),
        migrations.AddIndex(
            model_name="bandpair",
            index=models.Index(
                models.OrderBy(
                    django.db.models.functions.comparison.Greatest(
                        django.db.models.functions.math.Abs(models.F("east_mas")),
                        django.db.models.functions.math.Abs(models.F("north_mas")),
                    ),
                    descending=True,
                ),
                condition=models.Q(("east_mas__isnull", False)),
                name="pair_farthest",
            ),
        ),
        migrations.AddIndex(
            model_name="finaltile",
            index=models.Index(fields=["updated_at"], name="tile_updated"),
        ),
        migrations.AddIndex(
            model_name="individualfile",
            index=models.Index(
                fields=["field", "band", "file_type", "status", "isvalid", "failed_step"],
                name="frame_field_band",
            ),
        ),
    ]
