"""Measure streamvq against its peers, as ratios within one run.

    python scripts/bench.py all --clip path/to/720p.mp4

Needs the extra `bench` (pip install -e .[bench]) and the ffmpeg program. Any clip serves; the figures in the
README come from a 720p excerpt of Big Buck Bunny.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _color import bench_color
from _dither import bench_dither
from _gif import bench_gif
from _low_rank import bench_ranks, bench_svd
from _palette import bench_palette
from _rates import bench_index, bench_rd
from _stability import bench_stability
from _targets import bench_targets
from PIL import Image

import streamvq
from streamvq.container.indices.coding import decode_indices, encode_indices
from streamvq.ordered import frames_ahead, ordered_map, worker_count

ROOT = Path(__file__).resolve().parent.parent
STREAMVQ = [sys.executable, "-m", "streamvq"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*BENCHES, "all"])
    parser.add_argument("--clip", type=Path, default=ROOT / "samples" / "clip.mp4")
    parser.add_argument("--photos", type=Path, default=ROOT / "samples" / "photos", help="of the case palette")
    options = parser.parse_args()
    describe_machine()
    for name, bench in BENCHES.items():
        if options.what in (name, "all"):
            print(f"\n## {name}")
            with tempfile.TemporaryDirectory() as folder:
                bench((options.photos if name == "palette" else options.clip).resolve(), Path(folder))


def describe_machine() -> None:
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    print(f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")


def bench_nearest(clip: Path, folder: Path) -> None:
    """Exact nearest of 256 colors at 1080p, all cores each: scikit-learn and faiss against streamvq."""
    import cv2
    import faiss
    from sklearn.cluster import KMeans

    frames = [cv2.resize(f, (1920, 1080), interpolation=cv2.INTER_LANCZOS4) for f in read(clip, every=16)[:8]]
    book = streamvq.fit(clip, 256)
    codes = book.codes.astype(np.float32)
    points = [frame.reshape(-1, 3).astype(np.float32) for frame in frames]
    model = KMeans(len(codes), init=codes, n_init=1, max_iter=1).fit(codes)
    model.cluster_centers_ = codes
    index = faiss.IndexFlatL2(3)
    index.add(codes)
    model.predict(points[0][:1000])
    ours: list[np.ndarray] = []

    def quantize_all() -> None:
        ours[:] = list(ordered_map(book.quantize, frames * 8, 0, frames_ahead(0, None)))[:1]

    sklearn_s = best_of(lambda: model.predict(points[0]), 3)
    faiss_s = best_of(lambda: index.search(points[0], 1), 3)
    first_s = best_of(quantize_all, 1) / len(frames) / 8
    ours_s = best_of(quantize_all, 5) / len(frames) / 8
    labels, (_, found) = model.predict(points[0]), index.search(points[0], 1)
    for name, other in (("scikit-learn", labels), ("faiss", found[:, 0])):
        same = distances(points[0], codes, other) == distances(points[0], codes, ours[0].ravel())
        print(f"answers as near as those of {name}: {100 * same.mean():.4f} % (the rest: its float rounding)")
    print(f"scikit-learn predict {sklearn_s * 1e3:.0f} ms, faiss {faiss_s * 1e3:.0f} ms a frame")
    print(f"streamvq {ours_s * 1e3:.2f} ms a frame (with the first meeting of the colors: {first_s * 1e3:.1f} ms)")
    print(f"ratios: scikit-learn {sklearn_s / ours_s:.0f}x (target 60), faiss {faiss_s / ours_s:.0f}x (target 15)")


def bench_fit(clip: Path, folder: Path) -> None:
    """256 colors: full KMeans on every pixel of every 8th frame against fitting on the sketch of all of them."""
    from sklearn.cluster import KMeans

    frames = read(clip, every=8)
    names = [str(folder / f"{i:05d}.bmp") for i in range(len(frames))]
    for name, frame in zip(names, frames, strict=True):
        Image.fromarray(frame).save(name)
    streamvq.fit(names[0], 2)  # compile
    start = time.perf_counter()
    book = streamvq.fit(names, 256)
    ours_s = time.perf_counter() - start
    print(f"streamvq: {ours_s:.2f} s with decoding, PSNR {codebook_psnr(book, frames):.3f} dB", flush=True)
    pixels = np.concatenate([frame.reshape(-1, 3) for frame in frames]).astype(np.float32)
    start = time.perf_counter()
    model = KMeans(256, n_init=1, random_state=0).fit(pixels)
    full_s = time.perf_counter() - start
    full = streamvq.Codebook(np.rint(model.cluster_centers_).clip(0, 255).astype(np.uint8))
    gap = codebook_psnr(full, frames) - codebook_psnr(book, frames)
    print(f"full KMeans: {full_s:.1f} s, {model.n_iter_} steps, PSNR {codebook_psnr(full, frames):.3f} dB")
    print(f"ratio {full_s / ours_s:.0f}x (target 20), {gap:+.3f} dB behind it (target at most 0.05)")
    bench_restarts(frames)


def bench_restarts(frames: list[np.ndarray]) -> None:
    """Few and many colors: the best of ten KMeans on the weighted distinct colors against one fit."""
    from sklearn.cluster import KMeans

    from streamvq.quantize.color_fit import fit_colors
    from streamvq.quantize.histogram import ColorHistogram

    sketch = ColorHistogram()
    for frame in frames:
        sketch.absorb(frame)
    colors, counts = sketch.points()
    print(f"{len(colors):,} distinct colors\n   k  best of 10 KMeans        streamvq           gap (target -0.02)")
    for k in (4, 16, 64, 256):
        start = time.perf_counter()
        ours = streamvq.Codebook(fit_colors(sketch, k, 0))
        ours_s = time.perf_counter() - start
        start = time.perf_counter()
        model = KMeans(k, n_init=10, random_state=0).fit(colors, sample_weight=counts)
        best_s = time.perf_counter() - start
        best = streamvq.Codebook(np.rint(model.cluster_centers_).clip(0, 255).astype(np.uint8))
        best_db, ours_db = codebook_psnr(best, frames), codebook_psnr(ours, frames)
        print(
            f"{k:4}  {best_db:.3f} dB {best_s:7.1f} s  {ours_db:.3f} dB {ours_s:6.2f} s  {ours_db - best_db:+.3f} dB",
            flush=True,
        )


def bench_video(clip: Path, folder: Path) -> None:
    """`compress clip -k 256 -o clip.mkv` against ffmpeg palettegen + paletteuse to GIF."""
    film = looped(clip, folder, seconds=20)
    gif, mkv = folder / "peer.gif", folder / "ours.mkv"
    graph = "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=none"
    peer = ["ffmpeg", "-v", "error", "-y", "-i", str(film), "-filter_complex", graph, str(gif)]
    ours = [*STREAMVQ, "compress", str(film), "-k", "256", "-o", str(mkv), "-f", "--json"]
    run(ours)  # compiles once
    peer_s, ours_s = [], []
    for _ in range(3):
        peer_s.append(seconds(lambda: run(peer)))
        ours_s.append(seconds(lambda: run(ours)))
    result = json.loads(run(ours))
    ratio = statistics.median(a / b for a, b in zip(peer_s, ours_s, strict=True))
    print(
        f"ffmpeg GIF: {statistics.median(peer_s):.2f} s, {gif.stat().st_size:,} bytes, PSNR {psnr(film, gif):.2f} dB"
    )
    print(
        f"streamvq: {statistics.median(ours_s):.2f} s for {result['frames']} frames, {result['bytes_out']:,} bytes, "
        f"PSNR {result['psnr_db']:.2f} dB"
    )
    print(f"ratio {ratio:.2f}x (target 6)")


def bench_svq(clip: Path, folder: Path) -> None:
    """`compress clip -k 256` to .svq against a GIF by ffmpeg, `decompress`, and the index decoder alone."""
    film = looped(clip, folder, seconds=20)
    gif, svq = folder / "peer.gif", folder / "ours.svq"
    graph = "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=none"
    peer = ["ffmpeg", "-v", "error", "-y", "-i", str(film), "-filter_complex", graph, str(gif)]
    ours = [*STREAMVQ, "compress", str(film), "-o", str(svq), "-f", "--json", "-q"]
    run(ours)  # compiles once
    run([*STREAMVQ, "decompress", str(svq), "-o", str(folder / "back.mkv"), "-f", "-q"])
    peer_s, ours_s, back_s = [], [], []
    for _ in range(3):
        peer_s.append(seconds(lambda: run(peer)))
        ours_s.append(seconds(lambda: run(ours)))
        back_s.append(seconds(lambda: run([*STREAMVQ, "decompress", str(svq), "-o", str(folder / "b.mkv"), "-fq"])))
    result = json.loads(run(ours))
    frames, taken = result["frames"], statistics.median(ours_s)
    ratio = statistics.median(a / b for a, b in zip(peer_s, ours_s, strict=True))
    print(
        f"ffmpeg GIF: {statistics.median(peer_s):.2f} s, {gif.stat().st_size:,} bytes, PSNR {psnr(film, gif):.2f} dB"
    )
    print(f"streamvq: {taken:.2f} s for {frames} frames, {frames / taken:.1f} frames/s (target 25)")
    print(f"  {result['bytes_out']:,} bytes, PSNR {result['psnr_db']:.2f} dB, ratio {ratio:.2f}x (target 8)")
    print(f"decompress to FFV1: {frames / statistics.median(back_s):.1f} frames/s (target 40)")
    with streamvq.open(svq) as opened:
        indices, codes = opened.indices[:18], opened.codebook.codes
        data = encode_indices(indices, codes)
        count = sum(frame.size for frame in indices) / 1e6
        encode_s = best_of(lambda: encode_indices(indices, codes), 5)
        decode_s = best_of(lambda: decode_indices(data, [frame.shape for frame in indices], codes), 5)
    print(f"index decoder, one core: {count / encode_s:.1f} and {count / decode_s:.1f} million a second (target 20)")


def bench_blocks(clip: Path, folder: Path) -> None:
    """Blocks of 4x4 RGB: exact nearest of 1,024 against faiss; fitting 4,096 against KMeans on the same frames."""
    import faiss
    from sklearn.cluster import KMeans

    from streamvq.quantize.blocks import image_to_blocks

    frames = read(clip, every=8)
    few = frames[::4]  # full KMeans takes an hour for all of them
    names = [str(folder / f"{i:05d}.bmp") for i in range(len(few))]
    for name, frame in zip(names, few, strict=True):
        Image.fromarray(frame).save(name)
    streamvq.fit(names[0], 16, block=4, space="rgb")  # compile
    book = streamvq.fit(names, 1024, block=4, space="rgb")
    index = faiss.IndexFlatL2(48)
    index.add(book.codes.astype(np.float32))
    vectors = [image_to_blocks(frame, (4, 4), "rgb")[0] for frame in frames]
    points = np.concatenate([part.reshape(-1, 48) for part in vectors]).astype(np.float32)

    def search_all() -> list[np.ndarray]:
        return list(ordered_map(book._finder.find, vectors, 0, frames_ahead(0, None)))

    found = np.concatenate([rows.ravel() for rows in search_all()])
    ours_s, faiss_s = best_of(search_all, 3), best_of(lambda: index.search(points, 1), 3)
    codes, other = book.codes.astype(np.float32), index.search(points, 1)[1][:, 0]
    same = distances(points, codes, other) >= distances(points, codes, found)
    print(f"answers as near as those of faiss: {100 * same.mean():.4f} %")
    print(
        f"nearest of 1,024: faiss {faiss_s / ours_s:.2f}x (target 1.5), {ours_s / len(frames) * 1e3:.1f} ms a frame"
    )
    start = time.perf_counter()
    book = streamvq.fit(names, 4096, block=4, space="rgb")
    ours_s = time.perf_counter() - start
    ours = codebook_psnr(book, few)
    print(f"4,096 blocks of every 32nd frame: {ours_s:.1f} s with reading, PSNR {ours:.3f} dB", flush=True)
    points = np.concatenate([part.reshape(-1, 48) for part in vectors[::4]]).astype(np.float32)
    start = time.perf_counter()
    model = KMeans(4096, n_init=1, random_state=0).fit(points)
    full_s = time.perf_counter() - start
    full = streamvq.Codebook(np.rint(model.cluster_centers_).clip(0, 255).astype(np.uint8), "rgb", (4, 4))
    gap = codebook_psnr(full, few) - ours
    print(f"full KMeans: {full_s:.0f} s, {model.n_iter_} steps, PSNR {ours + gap:.3f} dB")
    print(f"ratio {full_s / ours_s:.0f}x (target 10), {gap:+.3f} dB behind it (target at most 0.1)")


def bench_stages(clip: Path, folder: Path) -> None:
    """Where the time of a compress goes: each stage alone, one thread, per frame."""
    from streamvq.media.ffv1.frames import FFV1Frames
    from streamvq.quantize.color_fit import fit_colors
    from streamvq.quantize.histogram import ColorHistogram

    book = streamvq.fit(clip, 256)
    with streamvq.open_source(clip) as source:
        start = time.perf_counter()
        items = list(source.items())
        decode = time.perf_counter() - start
        stages = {"decode (2 passes, libav threads)": 2 * decode}
        frames = stages_of(stages, "to RGB (2 passes)", [lambda item=item: source.load(item) for item in items], 2)
    sketch = ColorHistogram()
    sketch.absorb(frames[0].pixels)
    stages_of(stages, "histogram", [lambda f=f: sketch.absorb(f.pixels) for f in frames])
    start = time.perf_counter()
    fit_colors(sketch, 256, 0)
    fit_s = time.perf_counter() - start
    coded = stages_of(stages, "nearest colors and error", [lambda f=f: book.quantize_frame(f)[0] for f in frames])
    encoder = FFV1Frames(book)
    encoder.encode(coded[0])
    stages_of(stages, "FFV1", [lambda c=c: encoder.encode(c) for c in coded])
    for name, total in stages.items():
        print(f"{name}: {total / len(frames) * 1e3:.2f} ms a frame")
    print(f"fit, once: {fit_s:.2f} s; start-up with scikit-learn and Numba: {start_up():.2f} s")


def bench_memory(clip: Path, folder: Path) -> None:
    """Peak memory for 100 and 2,000 frames, also with a slow reader; and at 1080p."""
    peaks = {}
    for frames in (100, 2000):
        film = looped(clip, folder, frames=frames)
        peaks[frames] = peak_mb([*STREAMVQ, "compress", str(film), "-o", str(folder / "m.mkv"), "-f", "-q"])
        print(f"{frames} frames: {peaks[frames]:.0f} MB", flush=True)
    for frames in (100, 400):
        film = looped(clip, folder, frames=frames)
        command = [*STREAMVQ, "compress", str(film), "-o", "-", "-q", "-f", "--save-codebook", str(folder / "b.npz")]
        peaks[-frames] = peak_mb(command, pause=0.02)
        print(f"{frames} frames, a slow reader of y4m: {peaks[-frames]:.0f} MB", flush=True)
    big = looped(clip, folder, frames=60, scale="1920:1080")
    print(
        f"1080p: {peak_mb([*STREAMVQ, 'compress', str(big), '-o', str(folder / 'b.mkv'), '-q']):.0f} MB (target 700)"
    )
    print(f"growth from 100 to 2,000 frames: {100 * (peaks[2000] / peaks[100] - 1):+.1f} % (target 5)")
    print(f"growth with a slow reader, 100 to 400: {100 * (peaks[-400] / peaks[-100] - 1):+.1f} % (target 5)")


def bench_help(clip: Path, folder: Path) -> None:
    """`streamvq --help` against importing typer alone."""
    ratios = []
    for _ in range(15):
        alone = seconds(lambda: run([sys.executable, "-c", "import typer"]))
        ratios.append(seconds(lambda: run([*STREAMVQ, "--help"])) / alone)
    print(f"ratio {statistics.median(ratios):.2f} (target 2)")


def read(clip: Path, every: int) -> list[np.ndarray]:
    with streamvq.open_source(clip) as source:
        return [frame.pixels for frame in source if frame.index % every == 0]


def distances(points: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return ((points - codes[rows]) ** 2).sum(axis=1)


def codebook_psnr(book: streamvq.Codebook, frames: list[np.ndarray]) -> float:
    error = sum(book.quantize_frame(streamvq.Frame(frame))[1] for frame in frames)
    return 10 * math.log10(255**2 * sum(frame.size for frame in frames) / error)


def psnr(first: Path, second: Path) -> float:
    error = samples = 0
    with streamvq.open_source(first) as a, streamvq.open_source(second) as b:
        for one, two in zip(a, b, strict=False):
            error += int(((one.pixels.astype(np.int32) - two.pixels[..., :3]) ** 2).sum())
            samples += one.pixels.size
    return 10 * math.log10(255**2 * samples / error)


def looped(clip: Path, folder: Path, seconds: float = 0, frames: int = 0, scale: str = "") -> Path:
    """The clip repeated to a length, cut without recoding unless it is scaled."""
    out = folder / f"film-{seconds}-{frames}-{scale.replace(':', 'x')}.mp4"
    if not out.exists():
        length = ["-t", str(seconds)] if seconds else ["-frames:v", str(frames)]
        coding = ["-vf", f"scale={scale}", "-preset", "ultrafast"] if scale else ["-c", "copy"]
        run(["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", str(clip), "-an", *length, *coding, str(out)])
    return out


def stages_of(stages: dict[str, float], name: str, work: list[Callable[[], object]], times: int = 1) -> list:
    start = time.perf_counter()
    results = [do() for do in work]
    stages[name] = times * (time.perf_counter() - start)
    return results


def start_up() -> float:
    code = "import streamvq.pipeline.compress, sklearn.cluster"
    return min(seconds(lambda: run([sys.executable, "-c", code])) for _ in range(3))


def best_of(work: Callable[[], object], times: int) -> float:
    return min(seconds(work) for _ in range(times))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def peak_mb(command: list[str], pause: float | None = None) -> float:
    """Peak resident memory of a command; with `pause`, its output is read a frame's worth at a time, slowly."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE if pause else None)
    if pause:

        def sip() -> None:
            assert process.stdout is not None
            while process.stdout.read(1 << 21):
                time.sleep(pause)

        reader = threading.Thread(target=sip)
        reader.start()
        reader.join()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command}: failed")
    return usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


BENCHES = {
    "nearest": bench_nearest,
    "fit": bench_fit,
    "video": bench_video,
    "svq": bench_svq,
    "blocks": bench_blocks,
    "stages": bench_stages,
    "memory": bench_memory,
    "help": bench_help,
    "index": bench_index,
    "rd": bench_rd,
    "svd": bench_svd,
    "ranks": bench_ranks,
    "color": bench_color,
    "dither": bench_dither,
    "gif": bench_gif,
    "targets": bench_targets,
    "stability": bench_stability,
    "palette": bench_palette,
}

if __name__ == "__main__":
    print(f"streamvq with {worker_count(0)} workers")
    main()
