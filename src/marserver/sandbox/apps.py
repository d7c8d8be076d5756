"""The sandbox as a Django application: on PostgreSQL its views step aside while tables change."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.db.models.signals import post_migrate, pre_migrate


class SandboxConfig(AppConfig):
    """Reading statements of users."""

    name = "marserver.sandbox"

    def ready(self) -> None:
        """Look at every migration of the archive's tables."""
        archive = installed.get_app_config("archive")
        pre_migrate.connect(step_aside, sender=archive, dispatch_uid="query views step aside")
        post_migrate.connect(come_back, sender=archive, dispatch_uid="query views come back")


def step_aside(using: str, plan: Any = (), **kwargs: Any) -> None:
    """Drop the views before migrations that could not change a column under them."""
    from marserver.sandbox import upkeep

    if plan:
        upkeep.drop_views(using)


def come_back(using: str, plan: Any = (), **kwargs: Any) -> None:
    """Make the views anew after migrations."""
    from marserver.sandbox import upkeep

    if plan:
        upkeep.make_views(using)
