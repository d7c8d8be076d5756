"""Where each path goes."""

from django.urls import URLPattern, URLResolver, include, path

from marserver.api.client_files import client, to_client
from marserver.api.follow import media_follow
from marserver.api.main import api
from marserver.api.media import media
from marserver.api.openapi import docs, openapi

urlpatterns: list[URLPattern | URLResolver] = [
    path("reduction/openapi.json", openapi, name="openapi"),
    path("reduction/docs", docs, name="docs"),
    path("reduction/", api.urls),
    path("media/follow_logs", media_follow, name="media_follow"),
    path("media/<path:path>", media, name="media"),
    path("client", to_client),
    path("client/", client, name="client"),
    path("client/<path:path>", client),
    path("", include("marserver.web.urls")),
]
