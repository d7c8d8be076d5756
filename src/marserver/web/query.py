"""SQL for those who know it: what may be read, a form, the rows, a plot."""

from django.http import HttpRequest, HttpResponse

from marserver.sandbox.views import all_views
from marserver.web.pages import page, show

EXAMPLES = {
    "Tiles of each band, and their depth": (
        "SELECT band, count(*) AS tiles, avg(depth) AS depth\n"
        "FROM files_finaltiles\nGROUP BY band ORDER BY band"
    ),
    "Seeing of the tiles": (
        "SELECT field, band, fwhm, depth\n"
        "FROM files_finaltiles\nWHERE fwhm IS NOT NULL\nORDER BY fwhm DESC LIMIT 50"
    ),
    "Frames that failed": (
        "SELECT file_name, field, band, failed_step, error\n"
        "FROM files_individualfiles\nWHERE failed_step <> '' LIMIT 100"
    ),
    "Frames of each night": (
        "SELECT night, file_type, count(*) AS frames\n"
        "FROM files_individualfiles\nGROUP BY night, file_type ORDER BY night"
    ),
}


@page
def query(request: HttpRequest) -> HttpResponse:
    """GET /query?q=SELECT..."""
    views = [(view.name, [column.key for column in view.columns]) for view in all_views()]
    asked = request.GET.get("q", "")
    return show(request, "query", "web/query/page.html", views=views, examples=EXAMPLES.items(), asked=asked)
