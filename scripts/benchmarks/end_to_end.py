"""Whole commands against FFmpeg's; where their time goes; both cores; memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import streamvq
from benchmarks.measure import Bench, Times, at_least, at_most, cpu_seconds, in_turn, times
from benchmarks.peers import cli, command, ffmpeg_gif, installed, looped, peak_mb, record
from benchmarks.quality import file_psnr


def bench_end_to_end(bench: Bench) -> None:
    """`compress` to .svq and .mkv with 256 colors, and back; CPU seconds of whole commands, start-up included."""
    if not installed("ffmpeg"):
        print("ffmpeg is not installed")
        return
    for name, clip in bench.clips.items():
        gif, svq, mkv = (bench.folder / f"{name}-out.{suffix}" for suffix in ("gif", "svq", "mkv"))
        back = bench.folder / f"{name}-back.y4m"
        compress = lambda out, clip=clip: command(*cli("compress", clip, "-k", 256, "-o", out, "-fq"))  # noqa: E731
        work: dict[str, Callable[[], object]] = {
            "ffmpeg": command(*ffmpeg_gif(clip, gif)),
            "svq": compress(svq),
            "mkv": compress(mkv),
            "back": command("sh", "-c", f"{sys.executable} -m streamvq decompress '{svq}' -q -o - > '{back}'"),
        }
        taken = in_turn(work)
        quality = {path: file_psnr(clip, path) for path in (svq, gif)}
        for form, out in (("svq", svq), ("mkv", mkv)):
            what, peer = f"compress -k 256 to .{form}", "ffmpeg GIF"
            target = at_most(1.6) if form == "svq" else None
            bench.row(what, taken[form], "s", peer, taken["ffmpeg"], target, clip=name)
            bench.row(what, out.stat().st_size, "bytes", peer, gif.stat().st_size, clip=name)
        bench.row("compress -k 256", quality[svq], "dB", "ffmpeg GIF", quality[gif], clip=name)
        bench.row("decompress to y4m", taken["back"], "s", "compress", taken["svq"], times(2), clip=name)
        for path in (gif, svq, mkv, back):
            path.unlink()


def bench_scaling(bench: Bench) -> None:
    """Wall seconds with one and with two workers; what the machine gives two threads is in the first line."""
    for name, clip in bench.clips.items():
        svq = bench.folder / f"{name}-j.svq"
        book = bench.folder / f"{name}-j.codebook.npz"
        for what, words in {
            "compress to .svq": ("compress", clip, "-o", svq),
            "apply to .mkv": ("apply", clip, "-c", book, "-o", bench.folder / "j.mkv"),
            "decompress to .mkv": ("decompress", svq, "-o", bench.folder / "j.mkv"),
        }.items():
            runs = {f"-j {jobs}": command(*cli(*words, "-j", jobs, "-fq")) for jobs in (1, 2)}
            taken = in_turn(runs)
            one, two = (taken[f"-j {jobs}"].seconds for jobs in (1, 2))
            bench.row(f"{what}, -j 2, wall", two, "s", "-j 1", one, times(1.8), clip=name)


def bench_stages(bench: Bench) -> None:
    """Where the time of a compress goes: each stage alone, one thread, milliseconds a frame."""
    from streamvq.container.indices.coding import decode_indices, encode_indices
    from streamvq.media.ffv1.frames import FFV1Frames
    from streamvq.quantize.color_fit import fit_colors
    from streamvq.quantize.histogram import ColorHistogram

    book = streamvq.fit(bench.film, 256)
    with streamvq.open_source(bench.film) as source:
        items, decoding = _timed([lambda: list(source.items())])
        frames, loading = _timed(lambda item=item: source.load(item) for item in items[0])
    count = len(frames)
    sketch = ColorHistogram()
    sketch.absorb(frames[0].pixels)
    _, counting = _timed(lambda f=f: sketch.absorb(f.pixels) for f in frames)
    _, fitting = _timed([lambda: fit_colors(sketch, 256, 0)])
    coded, nearest = _timed(lambda f=f: book.quantize_frame(f)[0] for f in frames)
    indices = [each.codes for each in coded][:18]
    encoder = FFV1Frames(book)
    encoder.encode(coded[0])
    _, ffv1 = _timed(lambda c=c: encoder.encode(c) for c in coded)
    (data,), _ = _timed([lambda: encode_indices(indices, book.codes)])
    shapes = [each.shape for each in indices]
    decode_indices(data, shapes, book.codes)
    _, encoding = _timed([lambda: encode_indices(indices, book.codes)])
    _, reading = _timed([lambda: decode_indices(data, shapes, book.codes)])
    for what, seconds in {
        "decoding, twice": 2 * decoding / count,
        "to RGB, twice": 2 * loading / count,
        "counting colors": counting / count,
        "nearest colors and error": nearest / count,
        "FFV1": ffv1 / count,
        "index coder": encoding / len(indices),
        "index decoder": reading / len(indices),
        "learning, once for all frames": fitting,
    }.items():
        bench.row(what, 1e3 * seconds, "ms", clip=bench.film_name)
    pixels = sum(each.size for each in indices) / 1e6
    bench.row("index coder, one core", pixels / encoding, "M/s", target=at_least(20), clip=bench.film_name)
    bench.row("index decoder, one core", pixels / reading, "M/s", target=at_least(20), clip=bench.film_name)


def _timed(work: Iterable[Callable[[], object]]) -> tuple[list, float]:
    """What each does, and the CPU seconds of all."""
    start = cpu_seconds()
    return [do() for do in work], cpu_seconds() - start


def bench_memory(bench: Bench) -> None:
    """Peak memory for 100 and 2,000 frames, also with a slow reader; and at 1080p."""
    clip, folder = bench.film, bench.folder
    peaks = {}
    for frames in (100, 2000):
        film = looped(clip, folder, frames=frames)
        peaks[frames] = peak_mb(cli("compress", film, "-o", folder / "m.mkv", "-f", "-q"))
    bench.row(
        "2,000 frames to .mkv", peaks[2000], "MB", "100 frames", peaks[100], at_most(1.05), clip=bench.film_name
    )
    slow = {}
    for frames in (100, 400):
        film = looped(clip, folder, frames=frames)
        words = cli("compress", film, "-o", "-", "-q", "-f", "--save-codebook", folder / "b.npz")
        slow[frames] = peak_mb(words, pause=0.02)
    what = "400 frames of y4m to a slow reader"
    bench.row(what, slow[400], "MB", "100 frames", slow[100], at_most(1.05), clip=bench.film_name)
    big = looped(clip, folder, frames=60, scale="1920:1080")
    peak = peak_mb(cli("compress", big, "-o", folder / "b.mkv", "-f", "-q"))
    bench.row("1080p to .mkv", peak, "MB", target=at_most(700), clip=bench.film_name)


def bench_start(bench: Bench) -> None:
    """Wall seconds of small commands, warm."""
    photo = Path(__file__).resolve().parents[2] / "samples" / "photos" / "rocket.jpg"
    out, book = bench.folder / "start.png", bench.folder / "start.npz"
    record("fit", photo, "-k", 16, "-o", book, "-f")
    small = bench.folder / "small.png"
    streamvq.apply(photo, book, small, width=480, overwrite=True)
    commands: dict[str, tuple[tuple[object, ...], float]] = {
        "--help": (("--help",), 0.25),
        "info of a codebook": (("info", book), 0.25),
        "info of a clip": (("info", bench.film), 0.25),
        "palette --list": (("palette", "--list"), 0.25),
        "compress a 480-pixel image to PNG": (("compress", small, "-k", 16, "-o", out, "-fq"), 0.6),
        "apply to a 480-pixel image": (("apply", small, "-c", book, "-o", out, "-fq"), 0.6),
    }
    work = {what: command(*cli(*words)) for what, (words, _) in commands.items()}
    work["typer"] = command(sys.executable, "-c", "import typer")
    if installed("pngquant"):
        work["pngquant"] = command("pngquant", "16", "--force", "-o", bench.folder / "peer.png", small)
    taken: dict[str, Times] = in_turn(work, 7)
    bench.row("--help, wall", taken["--help"].seconds, "s", "import typer", taken["typer"].seconds, at_most(2))
    for what, (_, most) in commands.items():
        bench.row(f"{what}, wall", taken[what].seconds, "s", target=at_most(most))
    if "pngquant" in taken:
        what = "compress a 480-pixel image to PNG"
        bench.row(f"{what}, wall", taken[what].seconds, "s", "pngquant", taken["pngquant"].seconds)
