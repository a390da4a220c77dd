"""The jobs of a plan one after the other: a result for each input, whatever becomes of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from streamvq.errors import StreamVQError, UsageError
from streamvq.leftovers import tidy
from streamvq.media.inputs import PIPE
from streamvq.options import Source
from streamvq.pipeline.job import Job
from streamvq.pipeline.plan import Plan
from streamvq.pipeline.result import Result
from streamvq.staging import made_folder


def run_jobs(plan: Plan, do: Callable[[Job], Result], failed: Mapping[str, Any] | None = None) -> list[Result]:
    """The results of all jobs, and of those skipped, in the order of the inputs.

    An error of the only input is raised; of one of several, it becomes a result with `error` and the fields `failed`.
    """
    results = [Result(input=job.source.label, output=str(job.target.path), skipped=True) for job in plan.skipped]
    with made_folder(plan.output) if plan.shares_folder() else nullcontext():
        for job in plan.jobs:
            try:
                results.append(do(job))
            except StreamVQError as error:
                if len(plan.labels) == 1:
                    raise
                fields = {**names_of(job), **(failed or {}), "error": str(error), "exit_code": error.exit_code}
                results.append(Result(**fields))
    return sorted(results, key=lambda result: plan.labels.index(result.input))


def tidy_outputs(*outputs: Source | None) -> None:
    """Finish, or remove, what killed runs left where these outputs go: what is there is then looked at as it is."""
    for path in (Path(output) for output in outputs if output is not None and os.fspath(output) != PIPE):
        for folder in {path.parent, path}:
            tidy(folder)


def names_of(job: Job) -> dict[str, Any]:
    """The fields of a `Result` that say what was done."""
    source = job.source
    return {
        "input": source.label,
        "output": str(job.target.path),
        "bytes_in": source.size_bytes,
        "ignored_files": source.ignored_files,
    }


def check_one(plan: Plan, many: str) -> None:
    """Raise UsageError where a name that is to be one input, such as a glob, is several."""
    if len(plan.labels) != 1:
        raise UsageError(f"names {len(plan.labels)} inputs, such as {plan.labels[0]}; {many} takes several")
