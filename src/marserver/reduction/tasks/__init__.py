"""The task functions that the worker runs, by the function name of their jobs."""

from marserver.jobs.work import Task
from marserver.reduction.tasks.images import process_fieldimage
from marserver.reduction.tasks.masters import (
    create_superflat,
    process_biasblock,
    process_flatblock,
    process_flatbyfilter,
)
from marserver.reduction.tasks.scan import scan_folder
from marserver.reduction.tasks.science import (
    process_field,
    process_finaltiles,
    process_sciblock,
    process_scibyfilter,
)

TASKS: dict[str, Task] = {
    "scan_folder": scan_folder,
    "process_biasblock": process_biasblock,
    "process_flatbyfilter": process_flatbyfilter,
    "process_flatblock": process_flatblock,
    "process_scibyfilter": process_scibyfilter,
    "process_sciblock": process_sciblock,
    "process_finaltiles": process_finaltiles,
    "process_field": process_field,
    "process_fieldimage": process_fieldimage,
    "create_superflat": create_superflat,
}

__all__ = ["TASKS"]
