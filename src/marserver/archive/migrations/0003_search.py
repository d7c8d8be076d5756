"""The index of `contains`."""

from django.db import migrations

from marserver.archive import search_index


class Migration(migrations.Migration):
    """Trigrams of names and fields."""

    dependencies = [("archive", "0002_indexes")]

    operations = [migrations.RunPython(search_index.create, search_index.remove)]
