"""What kind of file a name means: ours alone, so that no machine's own table says otherwise."""

from pathlib import PurePath

UNKNOWN = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
TYPES = {
    ".fits": "image/fits",
    ".fit": "image/fits",
    ".fz": "image/fits",  # tile-compressed: an image of FITS too
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".svg": "image/svg+xml",
    ".txt": TEXT,
    ".log": TEXT,
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".vot": "application/x-votable+xml",
    ".xml": "application/xml",
    ".dzi": "application/xml",  # Deep Zoom
    ".pdf": "application/pdf",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".map": "application/json",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".eot": "application/vnd.ms-fontobject",
}
# What a browser may show by itself; the rest is offered as a file, so that nothing in it runs in our origin
SHOWN = ("image/png", "image/jpeg", "image/webp", "image/gif", TEXT)


def type_of(name: str) -> str:
    """The media type of a file of this name."""
    return TYPES.get(PurePath(name).suffix.lower(), UNKNOWN)
