"""The ASGI application that uvicorn serves: `new_application` makes it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marserver.settings")

django.setup(set_prefix=False)

# After Django is set up: what follows imports its modules
from django.urls import get_resolver  # noqa: E402

from marserver.api.limits import LimitedBody  # noqa: E402
from marserver.handler import OneThreadHandler  # noqa: E402
from marserver.settled import settle  # noqa: E402


def new_application() -> LimitedBody:
    """Limits before Django, ready for the first request; one for each event loop."""
    get_resolver().url_patterns  # noqa: B018 - imports all pages and paths
    application = LimitedBody(OneThreadHandler())
    settle()
    return application
