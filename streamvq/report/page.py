"""`write_report`: results compared with their original, as one HTML page that needs no other file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from streamvq.errors import StreamVQError, UsageError
from streamvq.keywords import keywords_after_two
from streamvq.media.codebooks import find_codebook
from streamvq.media.inputs import PIPE
from streamvq.options import ReportOptions, Source
from streamvq.progress import NoProgress, Progress
from streamvq.quantize.codebook import Codebook
from streamvq.report import page_data
from streamvq.report.compare import compare
from streamvq.report.comparison import Comparison
from streamvq.report.pairing import Pair, Pairing
from streamvq.report.report_frames import Candidate, fit_to_budget, spread
from streamvq.report.swatches import Codes, swatches
from streamvq.staging import check_free, staged_file

if TYPE_CHECKING:
    from jinja2 import Template

_LIBRARIES = ("streamvq", "numpy", "opencv-python-headless", "av", "Pillow", "Jinja2")


@keywords_after_two(ReportOptions)
def write_report(reference: Source, tests: Sequence[Source], options: ReportOptions) -> list[Comparison]:
    """Compare results with their original, write the page to `output`, and return the comparisons.

    Without `output`, the page is beside a single result. At most `max_frames` frames are in the page, and fewer where
    they take more than `MAX_TEXT` characters. `command` is shown as the command line that made it. `codebook`, or its
    path, is for `.svq` files without one inside. Raises UsageError, OutputExists, OutputError, and what `compare`
    raises.
    """
    if not tests:
        raise UsageError("no result: name one or several to compare with the reference")
    target = Path(options.output) if options.output is not None else page_path_for(tests)
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{target}: a report ends in .html")
    if PIPE in [os.fspath(source) for source in (reference, *tests)]:
        raise UsageError("-: a report reads its inputs twice; name files")
    template = _template()
    progress = options.progress or NoProgress()
    check_free(target, options.overwrite)
    book = find_codebook(options.codebook)
    reading: dict[str, Any] = {
        "resize": options.resize,
        "recursive": options.recursive,
        "codebook": book,
        "jobs": options.jobs,
        "keep_going": options.keep_going,
        "max_pixels": options.max_pixels,
    }
    comparisons = [compare(reference, test, **reading, progress=progress) for test in tests]
    ranked = _ranked(comparisons, options.max_frames)
    with ExitStack() as stack:
        codes = [stack.enter_context(Codes(test, book, options.max_pixels)) for test in tests]
        readers = [stack.enter_context(closing(_read(reference, test, ranked, reading))) for test in tests]
        stack.enter_context(progress.of("pictures", len(ranked)))
        kept = fit_to_budget(_candidates(readers, codes, progress), ranked)
        found = [_swatches(code.codebook, [frame.codes[i] for frame in kept]) for i, code in enumerate(codes)]
    page = template.render(page_data.page(comparisons, kept, found, options.command, _versions(), len(ranked)))
    with staged_file(target, options.overwrite) as part:
        part.write_text(page, "utf-8", newline="\n")
    return comparisons


def page_path_for(tests: Sequence[Source]) -> Path:
    """The page beside a single result. Raises UsageError."""
    if len(tests) != 1:
        raise UsageError(f"{len(tests)} results: name the page with `output`")
    path = Path(tests[0]).resolve()
    return Path(tests[0]).parent / f"{path.name if path.is_dir() else path.stem}.html"


def _template() -> Template:
    """The page's template. Raises StreamVQError where jinja2 is missing."""
    try:
        import jinja2
    except ImportError:
        raise StreamVQError("the report needs jinja2: pip install 'streamvq[report]'") from None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("streamvq.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = json_text
    environment.globals["file"] = _own_text
    return environment.get_template("report.html.j2")


def _own_text(name: str) -> Any:
    """One of our own style sheets or scripts, which are not escaped."""
    from markupsafe import Markup

    return Markup((resources.files("streamvq.report") / "templates" / name).read_text("utf-8"))


def json_text(value: Any) -> Any:
    """JSON that is safe inside <script>, whatever strings it has."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _ranked(comparisons: Sequence[Comparison], limit: int) -> list[int]:
    """The indices of the frames to show, the most informative first: the worst of each result, then ones between."""
    common = sorted(set.intersection(*({frame.index for frame in comparison.frames} for comparison in comparisons)))
    position = {index: number for number, index in enumerate(common)}
    worst = []
    for comparison in comparisons:
        lossy = [frame for frame in comparison.frames if frame.index in position and frame.psnr_db is not None]
        if lossy:
            worst.append(position[min(lossy, key=lambda frame: frame.psnr_db or 0).index])
    if not common:
        raise UsageError("no frame could be read of all results")
    return [common[number] for number in spread(worst, len(common), limit)]


def _read(reference: Source, test: Source, wanted: Sequence[int], options: dict[str, Any]) -> Generator[Pair]:
    """The pairs with the wanted indices, in order."""
    with Pairing(reference, test, frames=sorted(wanted), **options) as pairing:
        for index, items in pairing.items():
            pair = pairing.load(index, items)
            if isinstance(pair, Pair):
                yield pair


def _candidates(readers: Sequence[Iterator[Pair]], codes: Sequence[Codes], progress: Progress) -> Iterator[Candidate]:
    """The frames of all results at the same index; all results have the frames that are read."""
    for pairs in zip(*readers, strict=True):
        pixels = [pairs[0].reference.pixels, *(pair.test.pixels for pair in pairs)]
        rows = [code.of(pair.test) for code, pair in zip(codes, pairs, strict=True)]
        yield Candidate(pairs[0].index, pixels, rows)
        progress.advance()


def _swatches(codebook: Codebook | None, frames: Sequence[NDArray[Any] | None]) -> dict[str, Any] | None:
    """The swatches of a result; None where it has no codebook, or its frames are not coded by it."""
    known = [codes for codes in frames if codes is not None]
    return swatches(codebook, known) if codebook is not None and known else None


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for library in _LIBRARIES:
        with suppress(PackageNotFoundError):  # of OpenCV there are several packages
            found[library] = version(library)
    return found
