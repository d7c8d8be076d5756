"""Style sheets and scripts of the pages, sent by the server itself."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, its files sent whole: they are small, and Django warns of plain iterators under ASGI."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        """One file, or 304."""
        found = WhiteNoiseMiddleware.serve(static_file, request)
        content = b"".join(found.streaming_content)
        found.close()
        response = HttpResponse(content, status=found.status_code, headers=dict(found.items()))
        if content:  # the file may have grown since the start of the server
            response["Content-Length"] = str(len(content))
        return response
