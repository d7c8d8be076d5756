"""The paths of the pages; each page's own are in the file of its name."""

from django.urls import URLPattern, path

from marserver.web import configuration, logs, now, query, search, users, views, work

urlpatterns: list[URLPattern] = [
    path("login", views.log_in, name="login"),
    path("logout", views.log_out, name="logout"),
    path("", now.status, name="board"),
    path("queue", work.queue, name="queue"),
    path("queue/folders", work.folders, name="folders"),
    path("operations/<int:job_id>", work.operation, name="operation"),
    path("users", users.users, name="users"),
    path("users/<str:username>", users.account, name="user"),
    path("account", users.account, name="account"),
    path("changes", users.changes, name="changes"),
    path("query", query.query, name="query"),
    path("configuration", configuration.configuration, name="configuration"),
    path("search", search.search, name="search"),
    path("logs", logs.logs, name="logs"),
]
