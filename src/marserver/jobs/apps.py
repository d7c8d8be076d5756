"""The durable queue as a Django application."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """What is to be done, what is being done, what was done."""

    name = "marserver.jobs"
    default_auto_field = "django.db.models.BigAutoField"
