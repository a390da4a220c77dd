"""What `compress` and `apply` share: run the pipeline, then print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from streamvq.planning import Plan
    from streamvq.results import Result
    from streamvq.settings import FitSettings, OutputSettings, RunSettings


def run_compress(
    inputs: list[str],
    output: str | None,
    fit: FitSettings | None,
    codebook: Path | None,
    save_codebook: Path | None,
    recursive: bool,
    run: RunSettings,
    writing: OutputSettings,
    dry_run: bool,
    json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Quantize and print; exits with 1 where something failed."""
    from streamvq.cli.printing import progress_bar
    from streamvq.container.reader import load_codebook
    from streamvq.pipeline import compress
    from streamvq.planning import make_plan
    from streamvq.settings import FitSettings

    book = load_codebook(codebook) if codebook else None
    fit = fit or FitSettings()
    if dry_run:
        plan = make_plan(
            inputs, output, codebook=book, save_codebook=save_codebook, recursive=recursive, writing=writing
        )
        _print_plan(plan, str(codebook or plan.codebook_path or ""), json)
        return
    with _errors_as_json(json, inputs, output):
        results = compress(
            inputs,
            output,
            fit.colors,
            gray=fit.gray,
            seed=fit.seed,
            block=fit.block,
            space=fit.space,
            codebook=book,
            save_codebook=save_codebook,
            recursive=recursive,
            run=run,
            writing=writing,
            progress=progress_bar(quiet),
        )
    for result in results:
        if book is not None and codebook is not None and not result.codebook:
            result.codebook = str(codebook)
        _print_result(result, json, quiet, verbose, to_stderr=output == "-")
    _leave(results)


def run_decompress(
    inputs: list[str],
    output: str,
    codebook: Path | None,
    frames: range | None,
    run: RunSettings,
    writing: OutputSettings,
    dry_run: bool,
    json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Decode and print; exits with 1 where something failed."""
    from streamvq.cli.printing import progress_bar
    from streamvq.container.reader import load_codebook
    from streamvq.pipeline import decompress
    from streamvq.planning import plan_decompression

    book = load_codebook(codebook) if codebook else None
    if dry_run:
        _print_plan(plan_decompression(inputs, output, writing), str(codebook or ""), json)
        return
    with _errors_as_json(json, inputs, output):
        results = decompress(
            inputs, output, codebook=book, frames=frames, run=run, writing=writing, progress=progress_bar(quiet)
        )
    for result in results:
        _print_result(result, json, quiet, verbose, to_stderr=output == "-")
    _leave(results)


@contextmanager
def _errors_as_json(json: bool, inputs: list[str], output: str | None) -> Iterator[None]:
    """What stops the whole run is also told on stdout, where JSON is asked for and stdout is free."""
    from streamvq.cli.printing import print_json
    from streamvq.errors import StreamVQError

    try:
        yield
    except StreamVQError as error:
        if json and output != "-":
            print_json({"input": " ".join(inputs), "output": output, "error": str(error)})
        raise


def _leave(results: list[Result]) -> None:
    """Exit as the results say: 1 where something failed, 98 or 99 where an output was not worth keeping."""
    codes = {1 if result.failed else result.exit_code for result in results}
    if codes - {0}:
        raise typer.Exit(1 if 1 in codes else max(codes))


def _print_result(result: Result, json: bool, quiet: bool, verbose: bool, to_stderr: bool) -> None:
    from streamvq.cli.printing import print_json, say, summary

    for line in [*result.failed, *([result.error] if result.error else [])]:
        say(f"error: {line}")
    for note in result.warnings + (result.notes if not quiet else []):
        say(f"note: {note}")
    if result.compared and result.bytes_in and (result.bytes_out or 0) > 1.05 * result.bytes_in and not quiet:
        say(f"note: {result.output}: {(result.bytes_out or 0) / result.bytes_in:.1f} times as large as the input")
    if json and not to_stderr:
        print_json(result.as_dict())
    elif not quiet and not result.error:
        print(summary(result, verbose), file=sys.stderr if to_stderr else sys.stdout)


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
        files = "a pipe" if source.kind == "pipe" else f"{len(source.paths)} file(s), {bytes_text(source.size_bytes)}"
        print(f"{source.label} -> {target.path}\n  {files}; {done}")
    if book and not json:
        print(f"codebook -> {book}")
