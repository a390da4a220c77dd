"""Animations: bytes for the same indices against other programs, and the time of a whole run."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

import streamvq

SECONDS = 2  # of the clip
SIZE = 1280, 720  # of the screen recording
GRAPH = "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=none"


def bench_gif(clip: Path, folder: Path) -> None:
    """Bytes of GIF at 16, 64 and 256 colors, of APNG and WebP at 64, and CPU seconds of a whole run."""
    screen = screen_recording(folder / "screen.mkv")
    print(f"{'':8} {'colors':>6} {'GIF bytes':>10}   of gifsicle -O3, ffmpeg, Pillow (targets 1, 0.9; 256: 0.6, 0.6)")
    for name, source in (("clip", clip), ("screen", screen)):
        for count in (16, 64, 256):
            _gif_bytes(name, source, count, folder)
    for name, source in (("clip", clip), ("screen", screen)):
        _png_and_webp(name, source, folder)
    for name, source in (("clip", clip), ("screen", screen)):
        _whole_run(name, source, folder)


def _gif_bytes(name: str, source: Path, count: int, folder: Path) -> None:
    pictures = _same_indices(source, count, folder)
    ours, peer, pillow = folder / "ours.gif", folder / "peer.gif", folder / "pillow.gif"
    streamvq.compress(source, ours, codebook=folder / "frames.codebook.npz", trim=f":{SECONDS}", overwrite=True)
    sizes = {}
    if _installed("ffmpeg"):
        _cpu_seconds(["ffmpeg", "-y", "-v", "error", "-framerate", "25", "-i", folder / "frames/frame%06d.png", peer])
        sizes["ffmpeg"] = peer.stat().st_size
    _by_pillow(pictures, pillow)
    sizes["Pillow"] = pillow.stat().st_size
    if _installed("gifsicle"):
        _cpu_seconds(["gifsicle", "-O3", "--no-warnings", pillow, "-o", folder / "small.gif"])
        sizes = {"gifsicle": (folder / "small.gif").stat().st_size, **sizes}
    size = ours.stat().st_size
    ratios = ", ".join(
        f"{size / sizes[peer]:.3f}" if peer in sizes else f"{peer} is not installed"
        for peer in ("gifsicle", "ffmpeg", "Pillow")
    )
    print(f"{name:8} {count:6} {size:10,}   {ratios}", flush=True)


def _png_and_webp(name: str, source: Path, folder: Path) -> None:
    pictures = _same_indices(source, 64, folder)
    book, trim = folder / "frames.codebook.npz", f":{SECONDS}"
    sizes, times = {}, {}
    for format in ("apng", "webp"):
        out = folder / f"ours.{format}"
        times[format] = own_seconds(
            lambda out=out: streamvq.compress(source, out, codebook=book, trim=trim, jobs=1, overwrite=True)
        )
        sizes[format] = out.stat().st_size
    frames = folder / "frames/frame%06d.png"
    if _installed("ffmpeg"):
        out = folder / "peer.apng"
        spent = _cpu_seconds(["ffmpeg", "-y", "-v", "error", "-framerate", "25", "-i", frames, "-plays", "0", out])
        _compared(name, "apng", sizes, times, "ffmpeg", out.stat().st_size, spent)
    else:
        print("ffmpeg is not installed")
    if _installed("apngasm"):
        out = folder / "asm.apng"
        spent = _cpu_seconds(["apngasm", "-o", out, "-F", *pictures])
        _compared(name, "apng", sizes, times, "apngasm", out.stat().st_size, spent)
    else:
        print("apngasm is not installed")
    if _installed("img2webp"):
        out = folder / "peer.webp"
        spent = _cpu_seconds(["img2webp", "-min_size", "-d", "40", *pictures, "-o", out])
        _compared(name, "webp", sizes, times, "img2webp -min_size", out.stat().st_size, spent)
    else:
        print("img2webp is not installed")


def _compared(
    name: str, format: str, sizes: dict[str, int], times: dict[str, float], peer: str, size: int, spent: float
) -> None:
    print(
        f"{name:8} {format} of 64 colors: {sizes[format]:,} bytes, {sizes[format] / size:.3f} of {peer} (target 1); "
        f"CPU {times[format]:.1f} s, {peer} {spent:.1f} s",
        flush=True,
    )


def _whole_run(name: str, source: Path, folder: Path) -> None:
    ours, peer = folder / "ours.gif", folder / "peer.gif"
    command = [sys.executable, "-m", "streamvq", "compress", source, "-k", "256", "-o", ours, "-fq"]
    spent = min(_cpu_seconds(command) for _ in range(2))  # the first may compile
    if not _installed("ffmpeg"):
        print("ffmpeg is not installed")
        return
    theirs = _cpu_seconds(["ffmpeg", "-y", "-v", "error", "-i", source, "-filter_complex", GRAPH, peer])
    print(
        f"{name:8} compress -k 256 to GIF: {spent:.1f} CPU seconds, ffmpeg palettegen + paletteuse {theirs:.1f}, "
        f"ratio {spent / theirs:.2f} (target 0.9)",
        flush=True,
    )


def _same_indices(source: Path, count: int, folder: Path) -> list[Path]:
    """The quantized frames as indexed PNGs."""
    shutil.rmtree(folder / "frames", ignore_errors=True)
    streamvq.compress(source, folder / "frames", count, trim=f":{SECONDS}", overwrite=True)
    return sorted((folder / "frames").iterdir())


def _by_pillow(pictures: Sequence[Path], out: Path) -> None:
    first, *others = [Image.open(picture) for picture in pictures]
    first.save(out, save_all=True, append_images=others, duration=40, loop=0)


def _installed(program: str) -> bool:
    return shutil.which(program) is not None


def _cpu_seconds(command: Sequence[object]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def own_seconds(work: object) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()  # type: ignore[operator]
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def screen_recording(path: Path, seconds: int = 20, size: tuple[int, int] = SIZE) -> Path:
    """Typing, a pointer, a dialog with a bar that fills, and scrolling: drawn, and written without loss."""
    width, height = size
    rng = np.random.default_rng(3)
    words = ("def", "compress", "frames", "of", "a", "video", "into", "one", "palette", "with", "exact", "indices")
    page = Image.new("RGB", size, (250, 250, 250))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, width, 40), fill=(52, 73, 94))
    draw.rectangle((0, 40, 180, height), fill=(236, 240, 241))
    for line in range(12):
        draw.text((10, 60 + 30 * line), f"item {line} {words[line]}", fill=(30, 30, 60), font_size=14)
    x, y = 200, 60
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "bgr0"
        for number in range(25 * seconds):
            if number % 3 == 0:
                word = words[int(rng.integers(len(words)))]
                if x + 9 * len(word) > width - 60:
                    x, y = 200, y + 22
                if y > height - 60:  # scroll by two lines
                    page.paste(page.crop((185, 94, width, height)), (185, 50))
                    y -= 44
                    ImageDraw.Draw(page).rectangle((185, y, width, height), fill=(250, 250, 250))
                color = [(0, 0, 0), (192, 57, 43), (41, 128, 185), (39, 174, 96)][int(rng.integers(4))]
                ImageDraw.Draw(page).text((x, y), word, fill=color, font_size=14)
                x += 9 * len(word)
            shot = page.copy()
            draw = ImageDraw.Draw(shot)
            left, top = int(500 + 300 * np.sin(number / 9)), int(350 + 200 * np.cos(number / 7))
            draw.polygon([(left, top), (left + 12, top + 12), (left + 5, top + 13), (left, top + 18)], fill=(0, 0, 0))
            if 20 < number % 100 < 60:
                draw.rectangle((450, 250, 800, 430), fill=(255, 255, 255), outline=(100, 100, 100))
                draw.rectangle((470, 300, 470 + 7 * (number % 100 - 20), 320), fill=(46, 204, 113))
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(shot), format="rgb24")))
        output.mux(stream.encode())
    return path
