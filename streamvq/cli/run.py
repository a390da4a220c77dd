"""What commands that write share: run the pipeline, then print."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from streamvq.cli.parameters import WritePrintOptions
from streamvq.cli.usage import check_output_option
from streamvq.options import CompressOptions, DecompressOptions

if TYPE_CHECKING:
    from streamvq.pipeline.plan import Plan
    from streamvq.pipeline.result import Result


def run_compress(inputs: Sequence[str], options: CompressOptions, printing: WritePrintOptions) -> None:
    """Quantize and print; exits with 1 where something failed."""
    from streamvq.pipeline.compress import encode_all
    from streamvq.pipeline.plan import plan_compression

    check_output_option(inputs, options.output)
    output = None if options.output is None else str(options.output)
    if printing.dry_run:
        plan = plan_compression(inputs, options)
        given = None if options.extend else options.codebook
        with _errors_as_json(inputs, output, printing):
            predicted = encode_all(inputs, options, keep=False) if _can_predict(plan) else []
        _print_plan(plan, str(given or plan.codebook_path or ""), printing.json, predicted)
        _exit_as(predicted)
        return
    with _errors_as_json(inputs, output, printing):
        results = encode_all(inputs, options)
    _print_results(results, output, printing)


def run_decompress(
    inputs: Sequence[str], output: str, options: DecompressOptions, printing: WritePrintOptions
) -> None:
    """Decode and print; exits with 1 where something failed."""
    from streamvq.pipeline.decode import decode_all
    from streamvq.pipeline.plan import plan_decompression

    if printing.dry_run:
        _print_plan(plan_decompression(inputs, output, options), str(options.codebook or ""), printing.json)
        return
    with _errors_as_json(inputs, output, printing):
        results = decode_all(inputs, output, options)
    _print_results(results, output, printing)


@contextmanager
def _errors_as_json(inputs: Sequence[str], output: str | None, printing: WritePrintOptions) -> Iterator[None]:
    """What stops the whole run is also told on stdout, where JSON is asked for and stdout is free."""
    from streamvq.cli.printing import print_json
    from streamvq.errors import StreamVQError

    try:
        yield
    except StreamVQError as error:
        if printing.json and output != "-":
            record = {"input": " ".join(inputs), "output": output, "status": "failed", "error": str(error)}
            print_json(record | {"exit_code": error.exit_code})
        raise


def _print_results(results: Sequence[Result], output: str | None, printing: WritePrintOptions) -> None:
    """All results; exits with 1 where something failed, 98 or 99 where an output was not worth keeping."""
    for result in results:
        _print_result(result, output == "-", printing)
    _exit_as(results)


def _exit_as(results: Sequence[Result]) -> None:
    codes = {1 if result.failed else result.exit_code for result in results}
    if codes - {0}:
        raise typer.Exit(1 if 1 in codes else max(codes))


def _print_result(result: Result, to_stderr: bool, printing: WritePrintOptions) -> None:
    from streamvq.cli.printing import print_json, print_remarks, summary

    notes = [] if printing.quiet else list(result.notes)
    if (
        result.compared
        and result.bytes_in
        and (result.bytes_out or 0) > 1.05 * result.bytes_in
        and not printing.quiet
    ):
        times = (result.bytes_out or 0) / result.bytes_in
        notes.append(f"{result.output}: {times:.1f} times as large as the input")
    print_remarks([*result.failed, *([result.error] if result.error else [])], [*result.warnings, *notes])
    if printing.json and not to_stderr:
        print_json(result.as_dict())
    elif not printing.quiet and not result.error:
        print(summary(result, printing.verbose), file=sys.stderr if to_stderr else sys.stdout)


def _can_predict(plan: Plan) -> bool:
    """Whether what would come out can be found out: a pipe is read once, and a share is not told apart."""
    from streamvq.media.sources.source import WHOLE

    return all("pipe" not in (job.source.source_type, job.target.kind) and job.window == WHOLE for job in plan.jobs)


_PREDICTED = (
    "status",
    "n_codes",
    "lossy",
    "width",
    "height",
    "frames",
    "bytes_out",
    "bits_per_pixel",
    "psnr_db",
    "seconds",
    "tries",
    "error",
    "exit_code",
)


def _print_plan(plan: Plan, book: str, json: bool, predicted: Sequence[Result] = ()) -> None:
    from streamvq.cli.printing import prediction, print_json
    from streamvq.errors import bytes_text

    results = {result.input: result for result in predicted if not result.skipped}
    for job, skipped in [(job, False) for job in plan.jobs] + [(job, True) for job in plan.skipped]:
        source, target = job.source, job.target
        if json:
            record: dict[str, object] = {"input": source.label, "output": str(target.path), "format": target.format}
            record |= {"files": len(source.paths), "bytes_in": source.size_bytes, "codebook": book or None}
            told = results[source.label].as_dict() if source.label in results else {}
            record |= {name: told[name] for name in _PREDICTED if name in told}
            print_json(record | {"skipped": skipped, "dry_run": True})
            continue
        done = "is there already: would be skipped" if skipped else f"would write {target.format} ({target.kind})"
        files = (
            "a pipe"
            if source.source_type == "pipe"
            else f"{len(source.paths)} file(s), {bytes_text(source.size_bytes)}"
        )
        print(f"{source.label} -> {target.path}\n  {files}; {done}")
        if source.label in results:
            print(f"  {prediction(results[source.label])}")
    if book and not json:
        print(f"codebook -> {book}")
