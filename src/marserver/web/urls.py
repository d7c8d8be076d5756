"""The paths of the pages; each page's own are in the file of its name."""

from django.urls import URLPattern, path

from marserver.web import now, views

urlpatterns: list[URLPattern] = [
    path("login", views.log_in, name="login"),
    path("logout", views.log_out, name="logout"),
    path("", now.status, name="board"),
]
