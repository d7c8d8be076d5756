"""The audit as a Django application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Who changed what and when."""

    name = "marserver.audit"
    default_auto_field = "django.db.models.BigAutoField"
