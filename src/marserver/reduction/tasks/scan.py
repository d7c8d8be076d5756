"""The task that scans a folder."""

from marserver.jobs.work import Report, Work
from marserver.reduction import ingest, site

MOST_REASONS = 1000  # kept in the job's result; the log has all


def scan_folder(work: Work) -> Report:
    """Register the new frames of a folder; each file that is not taken is named in the log."""
    folder = work.params["path"]
    scanned = ingest.scan(
        site.root(), folder, site.camera(), work.params.get("contains", ""), work.progress, work.warn
    )
    result = {"new": scanned.new, "known": scanned.known, "refused": scanned.refused[:MOST_REASONS]}
    return Report(f"{folder}: {scanned.sentence()}", result)
