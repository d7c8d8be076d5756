"""The archive as a Django application."""

from django.apps import AppConfig


class ArchiveConfig(AppConfig):
    """What exists: frames, blocks, tiles, images."""

    name = "marserver.archive"
    default_auto_field = "django.db.models.BigAutoField"
