"""Jobs that would write the same file."""

from __future__ import annotations

import os
from collections.abc import Sequence

from streamvq.errors import UsageError
from streamvq.pipeline.job import Job


def check_clashes(jobs: Sequence[Job]) -> None:
    """Raise where two inputs would write the same file, or an output is an input."""
    inputs = {path.resolve() for job in jobs for path in job.source.paths}
    writers: dict[str, str] = {}
    for job in jobs:
        origins = [str(path) for path in job.source.paths] if job.named() else [job.source.label]
        for file, origin in zip(job.files(), origins, strict=job.target.kind != "pipe"):
            if file.resolve() in inputs:
                raise UsageError(f"{file}: is an input; choose another output")
            key = str(file.absolute()).casefold()
            if key in writers:
                raise UsageError(f"{file}: would be written for both {writers[key]} and {origin}; rename one of them")
            writers[key] = origin
    for job in jobs:  # numbered frames have a folder to themselves
        own = str(job.target.path.absolute()).casefold()
        if job.target.kind == "folder" and not job.named():
            for other, origin in writers.items():
                if other.startswith(own + os.sep):
                    both = f"{job.source.label} and {origin}"
                    raise UsageError(f"{job.target.path}: would be written for both {both}; rename one of them")
