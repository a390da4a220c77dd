"""The parts of bench.py that measure bytes and quality: indices against PNG, GIF and xz; rate and distortion."""

from __future__ import annotations

import io
import json
import lzma
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import streamvq

STREAMVQ = [sys.executable, "-m", "streamvq"]
PEERS = {
    "Cinepak -q:v 10": ("avi", ["-c:v", "cinepak", "-q:v", "10"]),
    "Cinepak -q:v 3": ("avi", ["-c:v", "cinepak", "-q:v", "3"]),
    "RoQ": ("roq", ["-vf", "setpts=N/30/TB", "-r", "30", "-c:v", "roqvideo"]),
    "SVQ1 -q:v 2": ("mov", ["-c:v", "svq1", "-q:v", "2"]),
    "SVQ1 -q:v 8": ("mov", ["-c:v", "svq1", "-q:v", "8"]),
    "MJPEG -q:v 5": ("avi", ["-c:v", "mjpeg", "-q:v", "5"]),
    "MJPEG -q:v 12": ("avi", ["-c:v", "mjpeg", "-q:v", "12"]),
    "MJPEG -q:v 31": ("avi", ["-c:v", "mjpeg", "-q:v", "31"]),
    "MPEG-2 -q:v 10": ("mkv", ["-c:v", "mpeg2video", "-q:v", "10"]),
    "MPEG-2 -q:v 31": ("mkv", ["-c:v", "mpeg2video", "-q:v", "31"]),
    "H.264 -crf 28": ("mkv", ["-c:v", "libx264", "-crf", "28"]),
    "H.264 -crf 38": ("mkv", ["-c:v", "libx264", "-crf", "38"]),
}
OURS = (
    ["-k", "16"],
    ["-k", "64"],
    ["-k", "256"],
    ["-k", "256", "--lossy", "6"],
    ["--block", "2", "-k", "1024", "--lossy", "8"],
    ["--block", "4", "-k", "256", "--lossy", "10"],
    ["--block", "4", "-k", "1024", "--lossy", "10"],
    ["--block", "4", "-k", "4096"],
    ["--block", "4", "-k", "4096", "--lossy", "10"],
    ["--block", "4", "-k", "4096", "--lossy", "20"],
    ["--block", "4", "-k", "4096", "--lossy", "40"],
    ["--block", "8", "-k", "4096", "--lossy", "20"],
)


def bench_rd(clip: Path, folder: Path) -> None:
    """Bytes (without audio, with the codebook) and RGB PSNR of every frame, for streamvq and its peers."""
    size = sum(frame.pixels[..., 0].size for frame in frames(clip))
    rows = []
    for options in OURS:
        out = folder / "ours.svq"
        command = [*STREAMVQ, "compress", str(clip), "-o", str(out), "-f", "--json", "-q", *options]
        record = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        count = record["bytes_out"] - record["parts"]["audio"]
        rows.append((f"streamvq {' '.join(options)}", count, psnr(clip, out)))
    for name, (suffix, options) in PEERS.items():
        out = folder / f"peer.{suffix}"
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(clip), "-an", *options, str(out)]
        plain = folder / "peer-decoded.mkv"  # by ffmpeg itself
        back = ["ffmpeg", "-v", "error", "-y", "-i", str(out), "-fps_mode", "passthrough", "-c:v", "ffv1", str(plain)]
        if any(subprocess.run(step, check=False, capture_output=True).returncode for step in (command, back)):
            print(f"{name}: does not run on {clip.name}")
        else:
            rows.append((name, out.stat().st_size, psnr(clip, plain)))
    rows += list(indexed(clip, folder, 256))
    print("| | bytes | bits/pixel | PSNR dB |\n|---|---|---|---|")
    for name, count, quality in sorted(rows, key=lambda row: row[1]):
        print(f"| {name} | {count:,} | {8 * count / size:.3f} | {quality:.2f} |")
    for peer in PEERS:
        compare(rows, peer)


def compare(rows: list[tuple[str, int, float]], peer: str) -> None:
    """Our bytes at the PSNR of a peer, between our two best settings around it, on a line of log(bytes)."""
    found = [row for row in rows if row[0] == peer]
    ours = front([row for row in rows if row[0].startswith("streamvq")])
    for _, count, quality in found:
        pairs = [(a, b) for a, b in pairwise(ours) if a[2] <= quality <= b[2]]
        if pairs:
            a, b = pairs[0]
            share = (quality - a[2]) / (b[2] - a[2])
            at = math.exp(math.log(a[1]) * (1 - share) + math.log(b[1]) * share)
            print(f"at the {quality:.2f} dB of {peer}: {at / count:.2f} of its bytes")
        elif ours and quality < ours[0][2]:
            print(
                f"{peer}: {quality:.2f} dB, below our settings; our smallest: {ours[0][1] / count:.2f} of its bytes"
            )
        else:
            print(f"{peer}: {quality:.2f} dB, above our settings")


def front(rows: list[tuple[str, int, float]]) -> list[tuple[str, int, float]]:
    """The settings that no other beats in both bytes and PSNR, by rising bytes."""
    best: list[tuple[str, int, float]] = []
    for row in sorted(rows, key=lambda row: (row[1], -row[2])):
        if not best or row[2] > best[-1][2]:
            best.append(row)
    return best


def bench_index(clip: Path, folder: Path) -> None:
    """Index bytes against optimized indexed PNGs, GIF, and xz over the raw indices, by kind of content."""
    kinds: dict[str, Path] = {clip.stem: clip}
    if (clip.parent / "photos").is_dir():
        kinds["photos"] = clip.parent / "photos"
    for name, draw in {"screen": screen, "pixel art": pixel_art, "still camera": still_camera}.items():
        kinds[name] = folder / name
        kinds[name].mkdir()
        for i, pixels in enumerate(draw()):
            Image.fromarray(pixels).save(kinds[name] / f"{i:03d}.png")
    print("| | k | bits/index | of PNG (0.45) | of GIF (0.42) | of xz (0.75) |\n|---|---|---|---|---|---|")
    for name, source in kinds.items():
        for k in (16, 64, 256):
            out = folder / "i.svq"
            command = [*STREAMVQ, "compress", str(source), "-k", str(k), "-o", str(out), "-f", "-q", "--json"]
            parts = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["parts"]
            ours = parts["indices"] + parts["frame tables"]
            with streamvq.open(out) as film:
                raw = b"".join(codes.tobytes() for codes in film.indices)
            (png, gif) = (count for _, count, _ in indexed(source, folder, k, measure=False))
            ratios = " | ".join(f"{ours / peer:.2f}" for peer in (png, gif, len(lzma.compress(raw, preset=6))))
            print(f"| {name} | {k} | {8 * ours / len(raw):.3f} | {ratios} |", flush=True)


def indexed(source: Path, folder: Path, k: int, measure: bool = True) -> Iterator[tuple[str, int, float]]:
    """The same indices as optimized indexed PNGs, and as a GIF that ffmpeg writes from them."""
    pngs, gif, svq = folder / "png", folder / "peer.gif", folder / "indexed.svq"
    shutil.rmtree(pngs, ignore_errors=True)
    pngs.mkdir()
    run([*STREAMVQ, "compress", str(source), "-k", str(k), "-o", str(svq), "-f", "-q"])
    total, sizes = 0, set()
    with streamvq.open(svq) as film:
        palette = film.codebook.palette.tobytes()
        for i, codes in enumerate(film.indices):
            image = Image.fromarray(codes, "L")
            image.putpalette(palette)
            buffer = io.BytesIO()
            image.save(buffer, "PNG", optimize=True)
            (pngs / f"{i:06d}.png").write_bytes(buffer.getvalue())
            total += len(buffer.getvalue())
            sizes.add(codes.shape)
        quality = psnr(source, svq) if measure else 0
    yield f"indexed PNG, {k} colors", total, quality
    if len(sizes) == 1:
        run(["ffmpeg", "-v", "error", "-y", "-i", str(pngs / "%06d.png"), str(gif)])
        yield f"GIF, {k} colors", gif.stat().st_size, quality
    else:
        count = 0
        for path in pngs.iterdir():
            run(["ffmpeg", "-v", "error", "-y", "-i", str(path), str(gif)])
            count += gif.stat().st_size
        yield f"GIF, {k} colors", count, quality


def frames(path: Path) -> Iterator[streamvq.Frame]:
    with streamvq.open_source(path) as source:
        yield from source


def psnr(first: Path, second: Path) -> float:
    """Of all RGB samples of all frames, in dB; a film of another frame rate is not comparable."""
    error = samples = 0
    for one, two in zip(frames(first), frames(second), strict=False):
        high, wide = one.pixels.shape[:2]
        error += int(((one.pixels[..., :3].astype(np.int32) - two.pixels[:high, :wide, :3]) ** 2).sum())
        samples += 3 * high * wide
    return 10 * math.log10(255**2 * samples / error) if error else math.inf


def screen(count: int = 60) -> Iterator[np.ndarray]:
    """A desktop at 1280x720: a window of text that scrolls, one that moves, a pointer."""
    draw_random = np.random.default_rng(3)
    lines = ["".join(draw_random.choice(list("abcdefghijklmnop  ,.;()="), 90)) for _ in range(120)]
    for i in range(count):
        image = Image.new("RGB", (1280, 720), (58, 110, 165))
        draw = ImageDraw.Draw(image)
        draw.rectangle((40, 30, 760, 690), (250, 250, 250), (90, 90, 90))
        for row in range(35):
            draw.text((48, 60 + 18 * row), lines[row + i // 6], (30 + 40 * (row % 4), 30, 120))
        draw.rectangle((40, 30, 760, 54), (60, 90, 150))
        left = 800 + 3 * min(i, 40)
        draw.rectangle((left, 100, left + 300, 400), (236, 236, 236), (0, 0, 0))
        for row in range(16):
            draw.text((left + 20, 120 + 16 * row), lines[60 + row][:40], (10, 10, 10))
        x, y = 300 + 7 * i, 200 + 5 * i
        draw.polygon([(x, y), (x, y + 18), (x + 12, y + 12)], (255, 255, 255), (0, 0, 0))
        yield np.asarray(image)


def pixel_art(count: int = 60) -> Iterator[np.ndarray]:
    """A tile map at 320x240 that scrolls, with sprites on it."""
    random = np.random.default_rng(5)
    palette = random.integers(0, 256, (32, 3)).astype(np.uint8)
    tiles = np.repeat(np.repeat(random.integers(0, 32, (12, 8, 8)), 2, axis=1), 2, axis=2)
    tiles[0] = 3
    rows = random.integers(0, 12, (15, 40)) * random.integers(0, 2, (15, 40))
    world = np.block([[tiles[tile] for tile in row] for row in rows])
    sprites = random.integers(0, 32, (6, 24, 16))
    for i in range(count):
        view = world[:, 2 * i : 2 * i + 320].copy()
        for s, sprite in enumerate(sprites):
            x, y = (50 * s + i * (s + 1)) % 304, (33 * s + i) % 216
            view[y : y + 24, x : x + 16] = sprite
        yield palette[view]


def still_camera(count: int = 60) -> Iterator[np.ndarray]:
    """A still picture with a little sensor noise and one thing that moves."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:360, :640]
    still = np.stack([90 + 50 * np.sin(x / 90), 100 + 40 * np.cos(y / 60), 80 + 60 * np.sin((x + y) / 140)], axis=2)
    still += 25 * ((x // 40 + y // 30) % 2)[..., None]
    for i in range(count):
        picture = still.copy()
        picture[200:300, 20 + 8 * i : 60 + 8 * i] = (60, 20, 30)
        yield np.clip(np.rint(picture + random.normal(0, 1.5, picture.shape)), 0, 255).astype(np.uint8)


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)
