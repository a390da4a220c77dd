"""Bad input gets one line on stderr that names it, the right exit code, and leaves everything as it was."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from pictures import READY, codebook, few_colors, load, noise, save, smooth, snapshot
from videos import read_video, write_video, y4m

Refused = Callable[..., str]
HALF_VIDEOS = {"mp4": {"movflags": "faststart"}, "mkv": {}, "avi": {}, "webm": {}}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return save(noise(), tmp_path / "in.png")


@pytest.fixture(scope="module", params=HALF_VIDEOS)
def half(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first half of a video whose header promises all of it."""
    path = tmp_path_factory.mktemp("half") / f"half.{request.param}"
    pictures = [smooth(64, 64, shift) // 2 + noise(64, 64, seed=shift) // 2 for shift in range(50)]
    write_video(path, pictures, container_options=HALF_VIDEOS[request.param])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


@pytest.fixture
def half_video(half: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(half, tmp_path))


@pytest.mark.parametrize("command", ["compress", "apply", "fit", "info"])
def test_a_missing_file(command: str, tmp_path: Path, refused: Refused) -> None:
    codebook().save(tmp_path / "book.npz")
    before = snapshot(tmp_path)
    options = {
        "compress": ["-o", tmp_path / "out.mkv"],
        "apply": ["-c", tmp_path / "book.npz", "-o", tmp_path / "out.mkv"],
        "fit": ["-o", tmp_path / "new.npz"],
        "info": [],
    }
    assert "nowhere.mp4" in refused(command, tmp_path / "nowhere.mp4", *options[command])
    assert snapshot(tmp_path) == before


def test_a_glob_without_matches(tmp_path: Path, refused: Refused) -> None:
    assert "*.mp4" in refused("compress", tmp_path / "*.mp4", "-o", tmp_path / "out")
    assert snapshot(tmp_path) == {}


def test_a_folder_without_images(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no image")
    before = snapshot(tmp_path)
    assert "notes" in refused("compress", tmp_path / "notes", "-o", tmp_path / "out")
    save(noise(), tmp_path / "notes" / "deep" / "a.png")
    assert "-r" in refused("compress", tmp_path / "notes", "-o", tmp_path / "out")
    assert snapshot(tmp_path).keys() == before.keys() | {"notes/deep/a.png"}


def test_a_text_named_mp4(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "fake.mp4").write_text("this is no video\n" * 50)
    before = snapshot(tmp_path)
    assert "fake.mp4" in refused("compress", tmp_path / "fake.mp4", "-o", tmp_path / "out.mkv")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".bmp"])
def test_an_image_cut_in_half(suffix: str, tmp_path: Path, refused: Refused) -> None:
    path = save(noise(64, 64), tmp_path / f"half{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    before = snapshot(tmp_path)
    assert path.name in refused("compress", path, "-o", tmp_path / "out.png")
    assert snapshot(tmp_path) == before


def test_a_video_cut_in_half_is_refused(half_video: Path, refused: Refused) -> None:
    before = snapshot(half_video.parent)
    line = refused("compress", half_video, *READY, "-o", half_video.with_name("out.mkv"))
    assert half_video.name in line
    assert "--keep-going" in line
    assert snapshot(half_video.parent) == before


def test_a_video_cut_in_half_is_kept_up_to_the_damage(half_video: Path, cli: Callable) -> None:
    out = half_video.with_name("out.mkv")
    result = cli("compress", half_video, *READY, "-o", out, "--keep-going", "--json")
    assert result.exit_code == 0, result.stderr
    frames = json.loads(result.stdout)["frames"]
    assert 5 < frames < 45
    assert len(read_video(out)) == frames
    assert f"{frames} frames" in result.stderr
    assert "damaged" in result.stderr


def test_a_y4m_cut_inside_a_frame(tmp_path: Path, refused: Refused, cli: Callable) -> None:
    path = tmp_path / "half.y4m"
    path.write_bytes(y4m([noise(seed=seed) for seed in range(6)])[:-2000])
    line = refused("compress", path, "-k", 8, "-o", tmp_path / "out.mkv")
    assert "half.y4m" in line
    assert "frame 5" in line
    assert list(snapshot(tmp_path)) == ["half.y4m"]
    result = cli("compress", path, "-k", 8, "-o", tmp_path / "out.mkv", "--keep-going", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["frames"] == 5


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".y4m"])
def test_a_video_without_frames(suffix: str, tmp_path: Path, refused: Refused) -> None:
    path = tmp_path / f"empty{suffix}"
    if suffix == ".y4m":
        path.write_bytes(y4m([noise()])[:60].partition(b"\n")[0] + b"\n")
    else:
        import av

        with av.open(str(path), "w") as output:
            stream = output.add_stream("ffv1" if suffix == ".mkv" else "libx264", rate=25)
            stream.width, stream.height = 16, 16
            stream.pix_fmt = "yuv420p"
            output.start_encoding()
    before = snapshot(tmp_path)
    assert path.name in refused("compress", path, "-o", tmp_path / "out.mkv")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("out", ["out.png", "out.mkv", "out.avi", "out.mp4", "out.webm", "out", "-"])
def test_an_image_of_one_pixel_is_fine(out: str, tmp_path: Path, cli: Callable) -> None:
    pixel = np.array([[[200, 100, 50]]], np.uint8)
    path = save(pixel, tmp_path / "one.png")
    target = out if out == "-" else tmp_path / out
    result = cli("compress", path, "-o", target, "--save-codebook", tmp_path / "book.npz")
    assert result.exit_code == 0, result.stderr
    if out == "-":
        pictures = read_video(result.stdout_bytes)
    else:
        pictures = [load(target)] if out == "out.png" else [load(target / "one.png")] if out == "out" else []
        pictures = pictures or read_video(target)
    assert len(pictures) == 1
    assert np.abs(pictures[0].astype(int) - pixel).max() <= (
        0 if out in ("out.png", "out.mkv", "out.avi", "out") else 8
    )


@pytest.mark.parametrize(
    "options",
    [
        ["-k", 0],
        ["-k", 1],
        ["-k", 70000],
        ["-k", -5],
        ["--bits", 0],
        ["--bits", 17],
        ["--gray", "--bits", 9],
        ["--gray", "-k", 257],
        ["-k", 4, "--bits", 2],
        ["--jobs", -1],
        ["--seed", -1],
        ["--crf", 99],
        ["--fps", 0],
        ["--fps", "fast"],
        ["--warmup", 0],
        ["--format", "xyz"],
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_options_out_of_range_are_usage_errors(
    options: list[object], picture: Path, tmp_path: Path, refused: Refused
) -> None:
    before = snapshot(tmp_path)
    line = refused("compress", picture, "-o", tmp_path / "out", *options, exit=2)
    assert any(str(option).lstrip("-") in line for option in options)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", ["out.xyz", "out.svg", "out.png.gz"])
def test_an_output_of_unknown_kind(name: str, picture: Path, tmp_path: Path, refused: Refused) -> None:
    before = snapshot(tmp_path)
    assert name in refused("compress", picture, "-o", tmp_path / name, exit=2)
    assert snapshot(tmp_path) == before


def _archive(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _edited(change: dict[str, object] | None = None, codes: np.ndarray | None = None) -> bytes:
    """A good codebook's file with other fields or codes."""
    with np.load(io.BytesIO(codebook().to_bytes())) as good:
        meta = json.loads(str(good["meta"])) | (change or {})
        return _archive(codes=good["codes"] if codes is None else codes, meta=np.array(json.dumps(meta)))


class _Trap:
    """Unpickling this would write a file."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (os.mkdir, ("pwned",))


def _pickled() -> bytes:
    trap = np.empty(1, object)
    trap[0] = _Trap()
    return _archive(codes=trap, meta=np.array("{}"))


def _zip_of_text() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("codes.npy", "text")
        archive.writestr("meta.npy", "text")
    return buffer.getvalue()


NO_CODEBOOKS = {
    "empty": lambda: b"",
    "text": lambda: b"not a codebook",
    "another npz": lambda: _archive(weights=np.zeros(3)),
    "zip of text": _zip_of_text,
    "no meta": lambda: _archive(codes=np.zeros((2, 3), np.uint8)),
    "wrong shape": lambda: _edited(codes=np.zeros((2, 4), np.uint8)),
    "flat": lambda: _edited(codes=np.zeros(6, np.uint8)),
    "no codes": lambda: _edited(codes=np.zeros((0, 3), np.uint8)),
    "NaN": lambda: _edited(codes=np.full((2, 3), np.nan)),
    "floats": lambda: _edited(codes=np.zeros((2, 3))),
    "pickled object": _pickled,
    "pickled codes": lambda: _edited(codes=np.array([[_Trap()] * 3], object)),
    "future version": lambda: _edited({"version": 99}),
    "other space": lambda: _edited({"space": "lab"}),
    "other block": lambda: _edited({"block": [2, 2]}),
    "block of text": lambda: _edited({"block": "large"}),
    "no block": lambda: _edited({"block": None}),
    "list as meta": lambda: _archive(codes=np.zeros((2, 3), np.uint8), meta=np.array("[]")),
    "other codes": lambda: _edited(codes=np.zeros((2, 3), np.uint8)),
    "cut off": lambda: codebook().to_bytes()[:300],
}


@pytest.mark.parametrize("name", NO_CODEBOOKS)
def test_an_npz_that_is_no_codebook(
    name: str, picture: Path, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.npz").write_bytes(NO_CODEBOOKS[name]())
    before = snapshot(tmp_path)
    for command in ("apply", "compress"):
        line = refused(command, picture, "-c", "bad.npz", "-o", "out.png")
        assert "bad.npz" in line
    assert "bad.npz" in refused("info", "bad.npz")
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "pwned").exists()
    if name == "future version":
        assert "99" in line
    if name == "NaN":
        assert "NaN" in line


def test_a_missing_codebook(picture: Path, tmp_path: Path, refused: Refused) -> None:
    assert "none.npz" in refused("apply", picture, "-c", tmp_path / "none.npz", "-o", tmp_path / "out.png")
    assert list(snapshot(tmp_path)) == ["in.png"]


def test_color_with_a_gray_codebook_becomes_its_luma(picture: Path, tmp_path: Path, cli: Callable) -> None:
    from streamvq.quantize.pixels import luma

    book = codebook(16, "gray")
    book.save(tmp_path / "book.npz")
    assert cli("apply", picture, "-c", tmp_path / "book.npz", "-o", tmp_path / "out.png").exit_code == 0
    expected = book.lookup(book.quantize(luma(load(picture))))
    assert (load(tmp_path / "out.png", "L") == expected).all()


def test_gray_with_a_color_codebook_becomes_equal_rgb(tmp_path: Path, cli: Callable) -> None:
    book = codebook()
    book.save(tmp_path / "book.npz")
    path = save(noise(channels=1), tmp_path / "in.png")
    assert cli("apply", path, "-c", tmp_path / "book.npz", "-o", tmp_path / "out.png").exit_code == 0
    expected = book.lookup(book.quantize(load(path)))
    assert (load(tmp_path / "out.png") == expected).all()


def test_a_codebook_and_learning_contradict_each_other(picture: Path, tmp_path: Path, refused: Refused) -> None:
    codebook().save(tmp_path / "book.npz")
    for options in (["-k", 8], ["--bits", 3], ["--gray"]):
        refused("compress", picture, "-c", tmp_path / "book.npz", *options, "-o", tmp_path / "out.png", exit=2)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("taken", ["out.png", "out.codebook.npz"])
def test_an_output_that_exists(taken: str, picture: Path, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / taken).write_bytes(b"precious")
    before = snapshot(tmp_path)
    line = refused("compress", picture, "-o", tmp_path / "out.png")
    assert taken in line
    assert "--overwrite" in line
    assert snapshot(tmp_path) == before


def test_a_folder_that_holds_one_of_the_outputs(tmp_path: Path, refused: Refused) -> None:
    for name in ("a.png", "b.png"):
        save(noise(), tmp_path / "in" / name)
    save(noise(seed=1), tmp_path / "out" / "b.png")
    before = snapshot(tmp_path)
    assert "b.png" in refused("compress", tmp_path / "in", "-o", tmp_path / "out")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("out", ["out.png", "out.mkv", "out"])
def test_an_output_folder_that_is_missing(out: str, picture: Path, tmp_path: Path, refused: Refused) -> None:
    assert "missing" in refused("compress", picture, "-o", tmp_path / "missing" / out)
    assert list(snapshot(tmp_path)) == ["in.png"]
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("options", [[], ["--overwrite"], ["--skip-existing"]], ids=str)
def test_an_output_that_is_the_input(
    options: list[str], picture: Path, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = snapshot(tmp_path)
    for spelling in ("in.png", "./in.png", str(picture)):
        assert "in.png" in refused("compress", picture, "-o", spelling, *options, exit=2)
    link = tmp_path / "link.png"
    link.symlink_to(picture)
    assert "link.png" in refused("compress", picture, "-o", link, *options, exit=2)
    link.unlink()
    assert snapshot(tmp_path) == before


def test_a_folder_of_images_onto_itself(tmp_path: Path, refused: Refused) -> None:
    save(noise(), tmp_path / "in" / "a.png")
    before = snapshot(tmp_path)
    refused("compress", tmp_path / "in", "-o", tmp_path / "in", "--overwrite", exit=2)
    assert snapshot(tmp_path) == before


def test_a_codebook_that_would_be_written_over_an_input(picture: Path, tmp_path: Path, refused: Refused) -> None:
    before = snapshot(tmp_path)
    options = ["-o", tmp_path / "out.png", "--save-codebook", picture, "--overwrite"]
    refused("compress", picture, *options, exit=2)
    assert snapshot(tmp_path) == before


def test_two_videos_of_one_name(tmp_path: Path, refused: Refused) -> None:
    """Found before work: neither of them is even a video."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clip.mp4").write_bytes(b"")
    before = snapshot(tmp_path)
    line = refused(
        "compress", tmp_path / "one" / "clip.mp4", tmp_path / "two" / "clip.mp4", "-o", tmp_path / "out", exit=2
    )
    assert "one" in line
    assert "two" in line
    assert snapshot(tmp_path) == before


def test_one_bad_image_of_many(tmp_path: Path, cli: Callable) -> None:
    pictures = {f"{index}.png": few_colors(6, seed=7) for index in range(5)}
    for name, pixels in pictures.items():
        save(pixels, tmp_path / "in" / name)
    (tmp_path / "in" / "2.png").write_bytes(b"no image")
    result = cli("compress", tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    errors = [line for line in result.stderr.splitlines() if "error" in line]
    assert len(errors) == 1
    assert "2.png" in errors[0]
    record = json.loads(result.stdout)
    assert record["frames"] == 4
    assert len(record["failed"]) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png", "3.png", "4.png"]
    for name in ("0.png", "4.png"):
        assert (load(tmp_path / "out" / name) == pictures[name]).all()


def test_only_bad_images(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).write_bytes(b"no image")
    before = snapshot(tmp_path)
    assert "a.png" in refused("compress", tmp_path / "in", "-o", tmp_path / "out")
    codebook().save(tmp_path / "book.npz")
    assert "a.png" in refused("apply", tmp_path / "in", "-c", tmp_path / "book.npz", "-o", tmp_path / "out")
    (tmp_path / "book.npz").unlink()
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("command", ["compress", "apply"])
def test_one_bad_video_of_many(command: str, tmp_path: Path, cli: Callable) -> None:
    good = write_video(tmp_path / "good.mkv", [smooth(shift=shift) for shift in range(3)])
    (tmp_path / "bad.mkv").write_bytes(b"no video" * 50)
    codebook().save(tmp_path / "book.npz")
    options = ["-k", 8] if command == "compress" else ["-c", tmp_path / "book.npz"]
    (tmp_path / "out").mkdir()
    result = cli(command, tmp_path / "bad.mkv", good, *options, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    bad, fine = map(json.loads, result.stdout.splitlines())
    assert "bad.mkv" in bad["error"]
    assert "error" not in fine
    assert fine["frames"] == 3
    assert [line for line in result.stderr.splitlines() if "error" in line and "bad.mkv" in line]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.mkv"]


def test_a_pipe_that_is_not_y4m(tmp_path: Path, refused: Refused) -> None:
    for data in (b"", b"hello", b"YUV4MPEG2 nonsense\n"):
        assert "-:" in refused("compress", "-", "-o", tmp_path / "out.mkv", stdin=data)
    assert snapshot(tmp_path) == {}


def test_a_pipe_and_a_file_do_not_mix(picture: Path, tmp_path: Path, refused: Refused) -> None:
    before = snapshot(tmp_path)
    refused("compress", "-", picture, "-o", tmp_path / "out", exit=2, stdin=b"")
    assert snapshot(tmp_path) == before


def test_a_video_into_one_image(tmp_path: Path, refused: Refused) -> None:
    clip = write_video(tmp_path / "clip.mkv", [noise()])
    refused("compress", clip, "-o", tmp_path / "out.png", exit=2)
    assert list(snapshot(tmp_path)) == ["clip.mkv"]


def test_images_of_mixed_sizes_into_a_video(tmp_path: Path, refused: Refused) -> None:
    save(noise(), tmp_path / "in" / "a.png")
    save(noise(20, 20), tmp_path / "in" / "b.png")
    before = snapshot(tmp_path)
    assert "48x32 to 20x20" in refused("compress", tmp_path / "in", "-k", 8, "-o", tmp_path / "out.mkv")
    assert snapshot(tmp_path) == before


def test_debug_shows_the_trace(tmp_path: Path, cli: Callable) -> None:
    result = cli("compress", tmp_path / "none.mp4", "-o", tmp_path / "out.mkv", "--debug")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("streamvq: error: ")


@contextmanager
def full_disk() -> Iterator[None]:
    """Files cannot grow beyond 20 kB; Python ignores the signal that comes with it."""
    resource = pytest.importorskip("resource", reason="file size limits are POSIX's")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("out", ["out.svq", "out.mkv", "out.avi", "out.mp4", "out.webm", "out", "out.png"])
def test_a_full_disk(out: str, tmp_path: Path, good: Callable, refused: Refused) -> None:
    pictures = [noise(200, 200, seed=seed) for seed in range(5)]
    if out == "out.png":
        path = save(noise(256, 256), tmp_path / "in.png")
    else:
        path = write_video(tmp_path / "in.mkv", pictures)
    codebook(200).save(tmp_path / "book.npz")
    before = snapshot(tmp_path)
    options = ["-c", tmp_path / "book.npz", "--crf", 1, "-o"]
    (tmp_path / "room").mkdir()
    good("apply", path, *options, tmp_path / "room" / out)  # kernels are compiled and kept now
    shutil.rmtree(tmp_path / "room")
    with full_disk():
        line = refused("apply", path, *options, tmp_path / out)
    assert out in line
    assert "No space" in line or "too large" in line, line
    assert snapshot(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write there; see the next test")
def test_a_folder_that_may_not_be_written(picture: Path, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "locked" in refused("compress", picture, "-o", tmp_path / "locked" / "out.png")
    assert list((tmp_path / "locked").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no folder here that even root may not write to")
@pytest.mark.parametrize("name", ["out.png", "out.svq", "out.mkv"])
def test_a_folder_that_nobody_may_write_to(name: str, picture: Path, tmp_path: Path, refused: Refused) -> None:
    before = snapshot(tmp_path)
    message = refused("compress", picture, "-k", 4, "-o", f"/proc/self/{name}", "--save-codebook", tmp_path / "b.npz")
    assert f"/proc/self/{name}: cannot be written" in message
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(sys.platform == "win32", reason="closed pipes are told otherwise there")
def test_a_pipe_that_the_reader_closes(tmp_path: Path, start: Callable) -> None:
    clip = write_video(tmp_path / "in.mkv", [noise(96, 128, seed=seed) for seed in range(20)])
    process = start("compress", clip, *READY, "-o", "-")
    assert process.stdout.read(100).startswith(b"YUV4MPEG2")
    process.stdout.close()
    stderr = process.stderr.read().decode()
    assert process.wait(30) == 1
    assert "-" in stderr
    assert stderr.count("\n") == 1, stderr
    assert "closed" in stderr
    assert [name for name in snapshot(tmp_path) if name.startswith(".")] == []
    assert signal.getsignal(signal.SIGPIPE) is not None
