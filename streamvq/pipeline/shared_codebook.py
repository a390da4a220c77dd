"""`SharedCodebook`: the one codebook of a run, and when its file is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamvq.media.codebooks import CODEBOOK_SUFFIX
from streamvq.options import CompressOptions
from streamvq.pipeline.emission import emitted
from streamvq.pipeline.existing import check_same, codebook_at
from streamvq.pipeline.plan import Plan
from streamvq.quantize.codebook import Codebook


class SharedCodebook:
    """The one codebook of a run: given, taken over from the run that `skip_existing` continues, or fitted.

    It is saved before the first output that is kept gets its name, so that no output is ever there without it.
    """

    def __init__(self, plan: Plan, options: CompressOptions) -> None:
        self.codebook = plan.codebook
        self.emitted: Codebook | None = None  # what is written for it, where that is another
        self._options = options
        self.path = plan.codebook_path
        self._size_bytes: int | None = None
        given = options.codebook is not None
        to_pipe = any(job.target.kind == "pipe" for job in plan.jobs)
        # a pipe has no name of its own: there the codebook is named by its content, so that it can be run again
        self._named_by_content = to_pipe and not given and self.path is None and not options.stores_factors
        self._unsaved = (self.path is not None and not plan.continues) or self._named_by_content
        self._overwrite = options.overwrite or to_pipe
        self.given = str(options.codebook) if given and not isinstance(options.codebook, Codebook) else None

    @property
    def is_fixed(self) -> bool:
        """Whether another codebook would come too late: this one was given, or is saved beside an output."""
        return not self._unsaved

    def use(self, codebook: Codebook) -> None:
        """Take this codebook, in place of one that nothing was kept of; raises as `check` does."""
        self.codebook, self.emitted, self._size_bytes = codebook, None, None
        self.check()

    def check(self) -> None:
        """Leave a codebook alone that is there already and has the same codes; OutputExists where it has others.

        UsageError where `emit_palette` does not fit it.
        """
        if self.codebook is not None and self.emitted is None:
            self.emitted = emitted(self.codebook, self._options)
        if not self._unsaved or self._overwrite or self.path is None or self.codebook is None:
            return
        if self.path.exists():
            check_same(self.path, codebook_at(self.path), self.codebook)
            self._unsaved = False

    def save(self, stem: str) -> None:
        """Write the file, once. Raises OutputExists or OutputError."""
        self.check()
        if not self._unsaved or self.codebook is None:
            return
        if self._named_by_content:
            self.path = Path(f"{stem}.{self.codebook.fingerprint[:8]}{CODEBOOK_SUFFIX}")
        assert self.path is not None
        self.codebook.save(self.path, self._overwrite)
        self._unsaved = False

    def result_fields(self) -> dict[str, Any]:
        """The fields of a `Result` that name it."""
        if self.codebook is None:
            return {}
        path = str(self.path) if self.path else self.given
        if self._size_bytes is None:
            self._size_bytes = len(self.codebook.to_bytes())
        return {"codebook": path, "codebook_bytes": self._size_bytes}
