"""What commands that write share: run the pipeline, then print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from streamvq.options import RunSettings, WriteOptions
    from streamvq.pipeline.plan import Plan
    from streamvq.pipeline.result import Result


@dataclass(frozen=True)
class Request:
    """What every command that writes is asked for."""

    inputs: list[str]
    output: str | None
    run: RunSettings
    writing: WriteOptions
    dry_run: bool
    json: bool
    quiet: bool
    verbose: bool


def run_compress(
    request: Request, codebook: Path | None, save_codebook: Path | None, recursive: bool, **drawing: Any
) -> None:
    """Quantize and print; exits with 1 where something failed. `drawing` is as for `DrawingSettings.of`."""
    from streamvq.cli.printing import progress_bar
    from streamvq.container.reader import load_codebook
    from streamvq.options import DrawingSettings
    from streamvq.pipeline.plan import make_plan
    from streamvq.pipeline.run import compress

    book = load_codebook(codebook) if codebook else None
    files: dict[str, Any] = {"codebook": book, "save_codebook": save_codebook, "recursive": recursive}
    files["writing"] = request.writing
    if request.dry_run:
        plan = make_plan(request.inputs, request.output, DrawingSettings.of(**drawing), **files)
        _print_plan(plan, str(codebook or plan.codebook_path or ""), request.json)
        return
    progress = progress_bar(request.quiet)
    with _errors_as_json(request):
        results = compress(request.inputs, request.output, run=request.run, progress=progress, **files, **drawing)
    for result in results:
        if book is not None and codebook is not None and not result.codebook:
            result.codebook = str(codebook)
        _print_result(result, request)
    _leave(results)


def run_decompress(request: Request, codebook: Path | None, frames: range | None) -> None:
    """Decode and print; exits with 1 where something failed."""
    from streamvq.cli.printing import progress_bar
    from streamvq.container.reader import load_codebook
    from streamvq.pipeline.plan import plan_decompression
    from streamvq.pipeline.run import decompress

    assert request.output is not None
    book = load_codebook(codebook) if codebook else None
    if request.dry_run:
        plan = plan_decompression(request.inputs, request.output, request.writing)
        _print_plan(plan, str(codebook or ""), request.json)
        return
    with _errors_as_json(request):
        results = decompress(
            request.inputs,
            request.output,
            codebook=book,
            frames=frames,
            run=request.run,
            writing=request.writing,
            progress=progress_bar(request.quiet),
        )
    for result in results:
        _print_result(result, request)
    _leave(results)


@contextmanager
def _errors_as_json(request: Request) -> Iterator[None]:
    """What stops the whole run is also told on stdout, where JSON is asked for and stdout is free."""
    from streamvq.cli.printing import print_json
    from streamvq.errors import StreamVQError

    try:
        yield
    except StreamVQError as error:
        if request.json and request.output != "-":
            print_json({"input": " ".join(request.inputs), "output": request.output, "error": str(error)})
        raise


def _leave(results: list[Result]) -> None:
    """Exit as the results say: 1 where something failed, 98 or 99 where an output was not worth keeping."""
    codes = {1 if result.failed else result.exit_code for result in results}
    if codes - {0}:
        raise typer.Exit(1 if 1 in codes else max(codes))


def _print_result(result: Result, request: Request) -> None:
    from streamvq.cli.printing import print_json, say, summary

    to_stderr = request.output == "-"
    for line in [*result.failed, *([result.error] if result.error else [])]:
        say(f"error: {line}")
    for note in result.warnings + (result.notes if not request.quiet else []):
        say(f"note: {note}")
    if result.compared and result.bytes_in and (result.bytes_out or 0) > 1.05 * result.bytes_in and not request.quiet:
        say(f"note: {result.output}: {(result.bytes_out or 0) / result.bytes_in:.1f} times as large as the input")
    if request.json and not to_stderr:
        print_json(result.as_dict())
    elif not request.quiet and not result.error:
        print(summary(result, request.verbose), file=sys.stderr if to_stderr else sys.stdout)


def _print_plan(plan: Plan, book: str, json: bool) -> None:
    from streamvq.cli.printing import bytes_text, print_json

    for job, skipped in [(job, False) for job in plan.jobs] + [(job, True) for job in plan.skipped]:
        source, target = job.source, job.target
        if json:
            record: dict[str, object] = {"input": source.label, "output": str(target.path), "format": target.format}
            record |= {"files": len(source.paths), "bytes_in": source.size_bytes, "codebook": book or None}
            print_json(record | {"skipped": skipped, "dry_run": True})
            continue
        done = "is there already: would be skipped" if skipped else f"would write {target.format} ({target.kind})"
        size = bytes_text(source.size_bytes)
        files = "a pipe" if source.source_type == "pipe" else f"{len(source.paths)} file(s), {size}"
        print(f"{source.label} -> {target.path}\n  {files}; {done}")
    if book and not json:
        print(f"codebook -> {book}")
