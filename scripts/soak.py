"""Kill, interrupt and starve streamvq for a while, and see that outputs are never half, mixed or left behind.

    python scripts/soak.py --minutes 30 --seed 7
    python scripts/soak.py --minutes 1 --files 20000 --frames 20000

Every command and sink is broken off at random moments, many of them aimed at the renames. A file must then be as it
was before or as it is to be, signals must leave nothing hidden, and the same command with --skip-existing --overwrite
must give the very bytes of an undisturbed run and tidy up. Prints a table; the exit code is 1 if something is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from threading import Timer

import numpy as np
from PIL import Image

import streamvq

COMMAND = [sys.executable, "-m", "streamvq"]
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}
NO_END = 124  # as the exit code of what had to be killed
PATIENCE = 180  # seconds for a command, of about two
COLUMNS = ("tried", "wrong", "left", "resumed")
Snapshot = dict[str, bytes]


@dataclass
class Case:
    """A command that writes into the working folder; `old` writes there what it then replaces."""

    name: str
    words: list[str]
    old: list[str] = field(default_factory=list)
    again: tuple[str, ...] = ("--skip-existing", "--overwrite")
    seconds: float = 0.0
    whole: Snapshot = field(default_factory=dict)
    before: Snapshot = field(default_factory=dict)


def cases(inputs: Path) -> Iterator[Case]:
    """Every command, with every sink that it has."""
    images, clip, book, other = inputs / "in", inputs / "clip.svq", inputs / "book.npz", inputs / "other.npz"
    kinds = {"out.svq": [], "out.mkv": [], "out.avi": [], "out.mp4": [], "out.mov": [], "out.webm": []}
    kinds |= {f"folder of {kind}": ["--format", kind] for kind in ("png", "webp", "tiff", "jpg")}
    for name, format in kinds.items():
        out = ["-o", name if "." in name else "out", *format]
        yield Case(f"compress to {name}", ["compress", f"{images}", "-k", "9", *out], ["-k", "5"])
    yield Case("apply to folder", ["apply", f"{images}", "-c", f"{book}", "-o", "out"], ["-c", f"{other}"])
    for name in ("out.mkv", "out", "out.svq"):
        yield Case(f"decompress to {name}", ["decompress", f"{clip}", "-o", name], [f"{inputs / 'other.svq'}"])
    yield Case("fit", ["fit", f"{images}", "-k", "9", "-o", "book.npz"], ["-k", "5"])
    compare = ["compare", f"{images}", f"{clip}", "--csv", "out.csv"]
    yield Case("compare", compare, ["--frames", "0:2"], ("--overwrite",))
    if find_spec("jinja2"):
        yield Case("report", ["report", f"{images}", f"{clip}", "-o", "out.html"], [], ("--overwrite",))
        yield Case("sweep", ["sweep", f"{images}", "-k", "4,8", "-o", "out"], [], ())


class Soak:
    """The trials, and their table."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.work = folder / "work"
        self.table: dict[str, Counter[str]] = {}
        self.wrong: list[str] = []
        self.inputs = _inputs(folder / "inputs")

    def run(self, words: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        """A command in the working folder, to its end. One that does not end is killed, and its code is `NO_END`."""
        command = [*COMMAND, *words]
        try:
            return subprocess.run(command, cwd=self.work, capture_output=True, text=True, timeout=PATIENCE, **options)  # type: ignore[call-overload, no-any-return]
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, NO_END, "", f"no end in {PATIENCE} s")

    def prepare(self, case: Case) -> bool:
        """Learn what a case gives undisturbed, and what it finds when it replaces something. False if it fails."""
        for words in [_replaced(case.words, case.old)] * bool(case.old) + [case.words]:
            case.before = case.whole
            self.fill({})
            start = time.monotonic()
            done = self.run(words)
            case.seconds = time.monotonic() - start
            case.whole = snapshot(self.work)
            if done.returncode:
                row = self.table.setdefault(f"undisturbed, {case.name}", Counter(tried=1))
                self._note(row, f"{case.name} fails undisturbed: {done.stderr}")
                return False
        return True

    def fill(self, content: Snapshot) -> None:
        """Make the working folder hold just this."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        for name, data in content.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_bytes(data)

    def kill(self, case: Case, number: signal.Signals) -> None:
        """One trial: break off, look, resume, look again."""
        row = self.table.setdefault(f"{number.name}, {case.name}", Counter())
        replaces = bool(case.old) and self.random.random() < 0.6
        before = case.before if replaces else {}
        self.fill(before)
        words = [*case.words, *(["-f"] if replaces else [])]
        process = subprocess.Popen(
            [*COMMAND, *words], cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._wait(process, case, before)
        process.send_signal(number)
        told = _told_by(process)
        row["tried"] += 1
        started = "init_import_site" not in told  # else Python itself was not up yet
        if started and (process.returncode not in (0, CODES[number], -number) or "Traceback" in told):
            self._note(row, f"{case.name}: {number.name} ended with {process.returncode}: {told}")
        after = snapshot(self.work)
        half = [name for name, data in visible(after).items() if data not in (before.get(name), case.whole.get(name))]
        gone = [name for name in before if name in case.whole and name not in after]
        if half or gone:
            self._note(row, f"{case.name}: {number.name} left half or lost: {half + gone}")
        hidden = sorted(after.keys() - visible(after).keys())
        if hidden and number != signal.SIGKILL and process.returncode != -number:
            self._note(row, f"{case.name}: {number.name} left {hidden}")
        again = self.run([*case.words, *case.again])
        found = snapshot(self.work)
        row["left"] += len(found.keys() - visible(found).keys())
        row["resumed"] += found == case.whole
        if found != case.whole:
            changed = [name for name in found.keys() | case.whole.keys() if found.get(name) != case.whole.get(name)]
            self._note(row, f"{case.name}: after {number.name} resuming gave others: {changed}; {again.stderr}")

    def starve(self) -> None:
        """A full disk, a folder that none may write to, too little memory, a closed pipe: one line, and no trace."""
        apply = ["apply", f"{self.inputs / 'in'}", "-c", f"{self.inputs / 'book.npz'}", "-o"]
        for out in ("out.svq", "out.mkv", "out.mp4", "out.webm", "out", "out.avi"):
            full = 600 if out == "out" else 4096
            self._refused("disk full", [*apply, out], lambda full=full: _limit(resource.RLIMIT_FSIZE, full))  # type: ignore[misc]
            if Path("/proc/self").is_dir():
                self._refused("read-only", [*apply, f"/proc/self/{out}"])
            size = self.random.randrange(400, 1600) << 20
            self._refused("little memory", [*apply, out], lambda size=size: _limit(resource.RLIMIT_AS, size))  # type: ignore[misc]
        self._refused("closed pipe", [*apply, "-"], lambda: os.close(1))

    def _refused(self, what: str, words: list[str], limit: Callable[[], None] | None = None) -> None:
        self.fill({})
        done = self.run(words, preexec_fn=limit)
        row = self.table.setdefault(what, Counter())
        row["tried"] += 1
        if what == "little memory" and done.returncode == 0:  # it was enough
            return
        if done.returncode != 1 or done.stderr.count("\n") != 1 or "Traceback" in done.stderr:
            self._note(row, f"{what}, {words[-1]}: ended with {done.returncode}: {done.stderr}")
        row["left"] += len(snapshot(self.work))

    def _wait(self, process: subprocess.Popen[str], case: Case, before: Snapshot) -> None:
        """Until a random moment, or just after something was begun or renamed in the folder."""
        if self.random.random() < 0.4:
            time.sleep(self.random.uniform(0, 1.1 * case.seconds))
            return
        names = set(os.listdir(self.work))  # noqa: PTH208
        changes = self.random.randrange(1, 6)
        while process.poll() is None and changes:
            now = set(os.listdir(self.work))  # noqa: PTH208
            changes -= now != names
            names = now
        time.sleep(self.random.choice([0, 0, 0.0002, 0.001, 0.01]))

    def _note(self, row: Counter[str], text: str) -> None:
        row["wrong"] += 1
        self.wrong.append(text)


def scale(soak: Soak, what: str, count: int, seconds: Callable[[int], tuple[float, float]]) -> None:
    """Time an item and peak memory at a quarter and at all of `count` items must be about the same."""
    try:
        (few, small), (many, large) = seconds(count // 4), seconds(count)
    except (subprocess.CalledProcessError, BrokenPipeError) as error:
        soak._note(soak.table.setdefault(what, Counter(tried=1)), f"{what}: {error}")
        return
    row = soak.table.setdefault(f"{what}: {1e3 * few * 4 / count:.2f} and {1e3 * many / count:.2f} ms, "
                                f"{small:.0f} and {large:.0f} MB", Counter(tried=2))  # fmt: skip
    if many > 4 * 1.6 * few or large > 1.15 * small + 30:
        soak._note(row, f"{what}: {few:.1f} s and {small:.0f} MB, then {many:.1f} s and {large:.0f} MB")


def measured(words: list[str], folder: Path, feed: Callable[[object], None] | None = None) -> tuple[float, float]:
    """Seconds, and megabytes at the most, of a command; `feed` writes its standard input."""
    start = time.monotonic()
    process = subprocess.Popen([*COMMAND, *words, "-q"], cwd=folder, stdin=subprocess.PIPE if feed else None)
    if feed:
        feed(process.stdin)
        process.stdin.close()  # type: ignore[union-attr]
    impatience = Timer(10 * PATIENCE, process.kill)
    impatience.start()
    _, status, usage = os.wait4(process.pid, 0)
    impatience.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return time.monotonic() - start, usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def many_files(soak: Soak, count: int) -> None:
    """A folder of small images, written, written again, and skipped."""
    book = f"{soak.inputs / 'book.npz'}"
    for number in (count // 4, count):
        images = soak.work.parent / f"images{number}"
        images.mkdir()
        for index in range(number):
            _picture(index, 16).save(images / f"{index:06d}.png")
    for what, extra in (("files, new", []), ("files, again", ["-f"]), ("files, skipped", ["--skip-existing"])):
        scale(soak, f"{count} {what}", count, lambda number, extra=extra: measured(  # type: ignore[misc]
            ["apply", f"../images{number}", "-c", book, "-o", f"../out{number}", *extra], soak.work))  # fmt: skip


def many_frames(soak: Soak, count: int) -> None:
    """A pipe of small frames."""

    def feed(number: int) -> Callable[[object], None]:
        def write(stream: object) -> None:
            stream.write(b"YUV4MPEG2 W32 H32 F25:1 C444\n")  # type: ignore[attr-defined]
            for index in range(number):
                stream.write(b"FRAME\n" + np.random.default_rng(index % 64).bytes(3 * 32 * 32))  # type: ignore[attr-defined]

        return write

    for out in ("frames.svq", "frames.mkv"):
        words = ["apply", "-", "-c", f"{soak.inputs / 'book.npz'}", "-f", "-o", out]
        scale(
            soak,
            f"{count} frames to {out}",
            count,
            lambda number, words=words: measured(words, soak.work, feed(number)),
        )  # type: ignore[misc]


def snapshot(folder: Path) -> Snapshot:
    """Every file below a folder with its content."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def visible(found: Snapshot) -> Snapshot:
    """The files that have their real names."""
    return {name: data for name, data in found.items() if not name.startswith(".")}


def _picture(seed: int, side: int = 48) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def _inputs(folder: Path) -> Path:
    (folder / "in").mkdir(parents=True)
    for index in range(24):
        _picture(index).save(folder / "in" / f"{index}.png")
    for name, colors in (("book", 9), ("other", 5)):
        book = streamvq.fit(folder / "in", colors)
        book.save(folder / f"{name}.npz")
        streamvq.apply(folder / "in", book, folder / ("clip.svq" if name == "book" else "other.svq"))
    return folder


def _replaced(words: list[str], old: list[str]) -> list[str]:
    """A command with another value of an option, or another input."""
    if old[0] in words:
        place = words.index(old[0])
        return [*words[:place], *old, *words[place + 2 :]]
    return [*words, *old] if old[0].startswith("-") else [words[0], *old, *words[2:]]


def _told_by(process: subprocess.Popen[str]) -> str:
    """What a process that was sent a signal writes to standard error. One that does not end is killed."""
    try:
        return process.communicate(timeout=PATIENCE)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        told = process.communicate()[1]
        process.returncode = NO_END
        return f"{told}no end in {PATIENCE} s"


def _limit(what: int, size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(what, (size, size))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", type=int, default=0, help="also: so many small images")
    parser.add_argument("--frames", type=int, default=0, help="also: so many small frames")
    parser.add_argument("--only", default="", help="cases with this in their name")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(Path(folder), given.seed)
        known: list[Case] = []
        waiting = [case for case in cases(soak.inputs) if given.only in case.name]
        end = time.monotonic() + 60 * given.minutes
        while time.monotonic() < end and (waiting or known):
            if waiting and (not known or soak.random.random() < 0.5):
                case = waiting.pop(0)
                known += [case] * soak.prepare(case)
            if not known:
                continue
            soak.kill(soak.random.choice(known), soak.random.choice(list(CODES)))
        if not given.only:
            soak.starve()
        if given.files:
            many_files(soak, given.files)
        if given.frames:
            many_frames(soak, given.frames)
        _print(soak, given.seed)
    return 1 if soak.wrong else 0


def _print(soak: Soak, seed: int) -> None:
    print(f"seed {seed}\n{'case':60}" + "".join(f"{name:>9}" for name in COLUMNS))
    for name, row in sorted(soak.table.items()):
        print(f"{name:60}" + "".join(f"{row[column]:9}" for column in COLUMNS))
    total = sum(soak.table.values(), Counter())
    print(f"{'all':60}" + "".join(f"{total[column]:9}" for column in COLUMNS))
    for text in soak.wrong[:20]:
        print(f"wrong: {' '.join(text.split())[:600]}")


if __name__ == "__main__":
    sys.exit(main())
