"""The paths of the pages; each page's own are in the file of its name."""

from importlib import import_module
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from marserver.web import (
    board,
    board_field,
    board_survey,
    calendar,
    configuration,
    details,
    lists,
    logs,
    nights,
    quality,
    query,
    search,
    users,
    views,
    work,
)


def when_asked(module: str, name: str) -> Any:
    """A view whose module is loaded with its first request: the viewer brings the libraries of pixels."""

    def view(request: HttpRequest, **given: Any) -> HttpResponse:
        response: HttpResponse = getattr(import_module(f"marserver.web.{module}"), name)(request, **given)
        return response

    return view


urlpatterns: list[URLPattern] = [
    path("login", views.log_in, name="login"),
    path("logout", views.log_out, name="logout"),
    path("", board.board, name="board"),
    path("board/survey", board_survey.survey, name="board_survey"),
    path("field/<path:field>", board_field.field, name="field"),
    path("calendar", calendar.calendar, name="calendar"),
    path("calendar/events", calendar.events, name="calendar_events"),
    path("calendar/count", calendar.count, name="calendar_count"),
    path("night/<str:day>", nights.night, name="night"),
    path("quality", quality.quality, name="quality"),
    path("quality/night/<str:day>", quality.of_night, name="quality_night"),
    path("quality/field/<path:field>", quality.of_field, name="quality_field"),
    path("quality/tile/<int:row_id>", quality.of_tile, name="quality_tile"),
    path("frames", lists.frames, name="frames"),
    path("frames/<int:row_id>", details.frame, name="frame"),
    path("tiles", lists.tiles, name="tiles"),
    path("tiles/<int:row_id>", details.tile, name="tile"),
    path("images", lists.images, name="images"),
    path("images/<int:row_id>", details.image, name="image"),
    path("blocks", lists.blocks, name="blocks"),
    path("blocks/<str:kind>", lists.blocks, name="blocks_of"),
    path("blocks/<str:kind>/<int:row_id>", details.block, name="block"),
    path("queue", work.queue, name="queue"),
    path("queue/folders", work.folders, name="folders"),
    path("operations/<int:job_id>", work.operation, name="operation"),
    path("news", work.news, name="news"),
    path("users", users.users, name="users"),
    path("users/<str:username>", users.account, name="user"),
    path("account", users.account, name="account"),
    path("changes", users.changes, name="changes"),
    path("query", query.query, name="query"),
    path("configuration", configuration.configuration, name="configuration"),
    path("search", search.search, name="search"),
    path("logs", logs.logs, name="logs"),
    path("view/<str:kind>/<int:row_id>", when_asked("viewer", "view"), name="view"),
    path("view/<str:kind>/<int:row_id>/info", when_asked("viewer", "info"), name="view_info"),
    path("view/<str:kind>/<int:row_id>/tile/<int:level>/<int:x>_<int:y>", when_asked("viewer_parts", "tile")),
    path("view/<str:kind>/<int:row_id>/mask/<int:level>/<int:x>_<int:y>", when_asked("viewer_parts", "mask")),
    path("view/<str:kind>/<int:row_id>/thumb", when_asked("viewer_parts", "thumb"), name="view_thumb"),
    path("view/<str:kind>/<int:row_id>/value", when_asked("viewer_parts", "value")),
    path("view/<str:kind>/<int:row_id>/catalogue", when_asked("viewer_parts", "catalogue")),
    path("view/<str:kind>/<int:row_id>/origin", when_asked("viewer_parts", "origin")),
]
