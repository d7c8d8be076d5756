"""Asking for a scan of a folder."""

from pathlib import PurePath

from django.db import transaction

from mar.io.names import PRODUCT_FOLDERS
from marserver.errors import Invalid
from marserver.jobs import queue
from marserver.reduction.paths import folder_below
from marserver.reduction.requests.outcome import Outcome
from marserver.reduction.requests.process import enqueue, queued


def scan_folder(path: str = "", *, contains: str = "", asked_by: str = "") -> Outcome:
    """Queue the scan of a folder below the data root; `contains` is a part of the path of files.

    Raises Invalid for a path outside the root or of products, NotFound where there is no such folder,
    Conflict where it is queued already.
    """
    folder = folder_below(path)
    first = PurePath(folder).parts[:1]
    if first and first[0] in PRODUCT_FOLDERS:
        raise Invalid(
            f"path: {first[0]} holds products, not raw frames; scan the folder of the raw frames, "
            "and take in masters made elsewhere with type register"
        )
    params = {"path": folder, "contains": contains}
    order = queue.Order("scan_folder", "folder", folder, params=params, user=asked_by)
    with transaction.atomic():
        job = enqueue(order, "scan_folder", "operation", [])
    return queued(job, path=folder)
