"""Every endpoint and type as a form; the script of the page makes it from the published schema."""

from django.http import HttpRequest, HttpResponse

from marserver.web.pages import page, show


@page
def search(request: HttpRequest) -> HttpResponse:
    """GET /search?endpoint=finaltiles&type=get&field=X."""
    return show(request, "search", "web/search/page.html")
