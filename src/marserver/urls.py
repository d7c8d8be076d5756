"""Where each path goes."""

from django.urls import URLPattern, URLResolver, path

from marserver.api.main import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("reduction/", api.urls),
]
