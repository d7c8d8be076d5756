"""Logging in and out."""

from django.contrib.auth.views import LogoutView

from marserver.web.login import LogIn

log_in = LogIn.as_view()
log_out = LogoutView.as_view(next_page="/login")
