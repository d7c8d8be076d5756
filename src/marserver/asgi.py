"""The ASGI application that uvicorn serves."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marserver.settings")

django_application = get_asgi_application()

# After Django is set up: what follows imports its modules
from marserver.api.limits import LimitedBody  # noqa: E402

application = LimitedBody(django_application)
