"""The archive as a Django application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ArchiveConfig(AppConfig):
    """What exists: frames, blocks, tiles, images."""

    name = "marserver.archive"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """After each start's migrations, see that names can be searched."""
        from marserver.archive import search_index

        post_migrate.connect(search_index.mend, sender=self)
