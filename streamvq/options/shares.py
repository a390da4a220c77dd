"""Which part of the work a run does, where several share it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options.values import REPORT

_MAX_SHARES = 1_000_000
_TASK = "SLURM_ARRAY_TASK_"


class ShardOption(Options):
    """Which share of the inputs is taken: (number, of how many), counted from 1."""

    shard: str | tuple[int, int] | None = option(REPORT, "--shard",
        "Do this share of the work only, such as 3/10; auto: as SLURM numbers its array jobs.",
        default=None, changes="input")  # fmt: skip

    def check(self) -> None:
        _ = self.share

    @property
    def share(self) -> tuple[int, int] | None:
        """`shard` as two numbers; None where all is to be done. Raises UsageError."""
        if self.shard is None:
            return None
        if self.shard == "auto":
            return share_of_slurm(os.environ)
        try:
            if isinstance(self.shard, str):
                first, _, second = self.shard.partition("/")
                number, of = int(first), int(second)
            else:
                number, of = self.shard
        except (ValueError, TypeError):
            number = of = 0
        if not 1 <= number <= of <= _MAX_SHARES:
            raise UsageError(f"`shard={self.shard}`: give share/shares, such as 3/10, counted from 1")
        return number, of


class ResumeOption(Options):
    """Whether a run goes on where one before it was killed."""

    resume: bool = option(REPORT, "--resume",
        "Keep finished shares in OUTPUT.parts until all are done, and go on with those of a run that was killed.",
        default=False, changes="nothing")  # fmt: skip


class ClusterOption(Options):
    """Which Dask cluster does the work: its scheduler's address or file, processes here, or in Python a client."""

    cluster: str | None = option(REPORT, "--cluster",
        "Work on a Dask cluster: tcp://host:8786, scheduler.json, or local:N for N processes here.",
        default=None, changes="nothing")  # fmt: skip
    client: Any = None

    def check(self) -> None:
        if self.cluster is not None and self.client is not None:
            raise UsageError("`cluster` and `client` say the same thing; give one of them")
        _ = self.local_workers

    @property
    def local_workers(self) -> int:
        """How many processes are to be started here; 0 where a cluster is there already. Raises UsageError."""
        kind, colon, count = (self.cluster or "").partition(":")
        if kind != "local":
            return 0
        if not colon or not count.isdecimal() or not 1 <= int(count) <= 1024:
            raise UsageError(f"`cluster={self.cluster}`: give the number of processes, such as local:4")
        return int(count)


def share_of_slurm(environment: Mapping[str, str]) -> tuple[int, int]:
    """The share of a job of a SLURM array (`sbatch --array`), whose numbers may start anywhere, and have steps.

    Raises UsageError outside of an array, and where its jobs are not evenly numbered.
    """
    try:
        number, count, low, high = (int(environment[_TASK + name]) for name in ("ID", "COUNT", "MIN", "MAX"))
        step = int(environment.get(_TASK + "STEP", "1"))
    except (KeyError, ValueError):
        raise UsageError("`shard=auto`: this is no job of a SLURM array (sbatch --array=1-10); give 3/10") from None
    share, left = divmod(number - low, max(1, step))
    if left or not 0 <= share < count or (high - low) // max(1, step) + 1 != count:
        raise UsageError(
            f"`shard=auto`: the SLURM array has {count} jobs from {low} to {high}, not evenly numbered; give 3/10"
        )
    return share + 1, count
