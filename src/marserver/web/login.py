"""The login page: the same throttle as auth/login."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpResponse

from marserver.accounts.logins import BadCredentials, log_in
from marserver.accounts.throttle import Throttled


class LoginForm(AuthenticationForm):
    """Name and password; `wait_s` is set where they are not even looked at yet."""

    wait_s = 0

    def clean(self) -> dict[str, Any]:
        """Find the user of this name and password."""
        given: dict[str, Any] = self.cleaned_data
        if "username" not in given or "password" not in given or self.request is None:
            return given
        try:
            self.user_cache = log_in(self.request, given["username"], given["password"])
        except Throttled as error:
            self.wait_s = error.wait_s
            raise ValidationError(str(error)) from None
        except BadCredentials as error:
            raise ValidationError(str(error)) from None
        return given


class LogIn(LoginView):
    """Begins a browser session."""

    template_name = "web/login.html"
    next_page = "/"
    form_class = LoginForm

    def form_valid(self, form: Any) -> HttpResponse:
        """Begin the session, and forget those of everybody that have expired."""
        self.request.session.clear_expired()
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        """The page once more, with what was wrong; 429 where it is too early to try again."""
        response: HttpResponse = super().form_invalid(form)
        if form.wait_s:
            response.status_code = 429
            response["Retry-After"] = str(form.wait_s)
        return response
