"""What every reduction needs, read once when its job begins."""

from dataclasses import dataclass, replace
from typing import Any

import mar
from mar.camera import Camera
from mar.config import Config, config_hash
from mar.io.names import Layout
from marserver.jobs.work import Work
from marserver.reduction import code as execution
from marserver.reduction import site


@dataclass(frozen=True)
class Setup:
    """The installation as it is at the beginning of a job, and the steps wanted."""

    layout: Layout
    camera: Camera
    config: Config
    code: frozenset[str]
    job: int
    user: str = ""  # who asked for the job
    function: str = ""  # of the job

    @property
    def provenance(self) -> dict[str, Any]:
        """The columns that tell how a product was made."""
        return {"config_hash": config_hash(self.config), "version": mar.__version__, "job": self.job}


def setup_of(work: Work) -> Setup:
    """What a job runs with; raises BadCamera, BadConfig."""
    layout = replace(site.layout(), job=str(work.job.pk))
    layout.make_folders()
    job = work.job
    code = execution.parse(job.code)
    return Setup(layout, site.camera(), site.config(), code, job.pk, job.user, job.function)
