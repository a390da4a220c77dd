"""Which output each input gets, decided and checked before any work starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import codebook, noise, save

from streamvq import OutputError, OutputExists, UsageError
from streamvq.media.made_with import image_text
from streamvq.media.targets import frame_name
from streamvq.options import CompressOptions
from streamvq.pipeline.plan import plan_compression


def touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def outputs(tmp_path: Path, inputs: list[Path], out: str, recursive: bool = False, **settings: object) -> list[str]:
    options = CompressOptions(tmp_path / out, recursive=recursive, save_codebook=tmp_path / "k.npz", **settings)  # type: ignore[arg-type]
    jobs = plan_compression(inputs, options).jobs
    return [file.relative_to(tmp_path).as_posix() for job in jobs for file in job.files()]


def test_one_video(tmp_path: Path) -> None:
    clip = touch(tmp_path, "clip.mp4")
    assert outputs(tmp_path, clip, "out.mkv") == ["out.mkv"]
    assert outputs(tmp_path, clip, "frames") == ["frames"]
    (tmp_path / "there").mkdir()
    assert outputs(tmp_path, clip, "there") == ["there"]
    assert outputs(tmp_path, clip, "there", format="mp4") == ["there/clip.mp4"]
    assert outputs(tmp_path, clip, "there", format="png") == ["there"]


def test_a_tree_is_mirrored(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.jpg", "in/deep/b.tif", "in/deep/er/c.png")
    assert outputs(tmp_path, [tmp_path / "in"], "out", recursive=True) == [
        "out/a.png",
        "out/deep/b.png",
        "out/deep/er/c.png",
    ]


def test_several_inputs_share_a_folder(tmp_path: Path) -> None:
    inputs = [*touch(tmp_path, "a.mp4", "b.mov", "photo.png"), tmp_path / "set"]
    touch(tmp_path, "set/x.png", "set/y.png")
    assert sorted(outputs(tmp_path, inputs, "out")) == [
        "out/a.mkv",
        "out/b.mkv",
        "out/photo.png",
        "out/set/x.png",
        "out/set/y.png",
    ]


@pytest.mark.parametrize("out", ["out.mkv", "out.png"])
def test_several_inputs_do_not_fit_one_file(out: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 inputs"):
        outputs(tmp_path, touch(tmp_path, "a.mp4", "b.mp4"), out)


def test_clashes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.mkv.*one.*two"):
        outputs(tmp_path, touch(tmp_path, "one/a.mp4", "two/a.mov"), "out")
    with pytest.raises(UsageError, match="is an input"):
        outputs(tmp_path, touch(tmp_path, "same.mkv"), "same.mkv")


def test_names_that_differ_in_case_alone_clash(tmp_path: Path) -> None:
    """They are one file on Windows and macOS."""
    inputs = touch(tmp_path, "one/Clip.mp4", "two/clip.mp4")
    with pytest.raises(UsageError, match="would be written for both"):
        outputs(tmp_path, inputs, "out")


def test_what_is_taken(tmp_path: Path) -> None:
    clip = touch(tmp_path, "clip.mp4", "out.mkv")[:1]
    with pytest.raises(OutputExists, match=r"out\.mkv"):
        outputs(tmp_path, clip, "out.mkv")
    assert outputs(tmp_path, clip, "out.mkv", overwrite=True) == ["out.mkv"]
    assert outputs(tmp_path, clip, "out.mkv", skip_existing=True) == []
    with pytest.raises(OutputError, match="missing"):
        outputs(tmp_path, clip, "missing/out.mkv")


def test_frames_of_an_earlier_run_are_not_mixed_with(tmp_path: Path) -> None:
    (clip,) = touch(tmp_path, "clip.mp4")
    touch(tmp_path, f"out/{frame_name(3, 'png')}")
    with pytest.raises(OutputExists, match="out"):
        outputs(tmp_path, [clip], "out")
    assert outputs(tmp_path, [clip], "out", format="webp") == ["out"]
    assert outputs(tmp_path, [clip], "out", format="mkv") == ["out/clip.mkv"]


def test_numbered_frames_have_a_folder_to_themselves(tmp_path: Path) -> None:
    found = touch(tmp_path, "takes.mp4", "takes/a.png", "takes/b.png")
    with pytest.raises(UsageError, match="for both"):
        outputs(tmp_path, [tmp_path / "takes", found[0]], "both", format="png")


def test_skipping_is_per_image(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.png", "in/b.png", "out/a.png")
    options = CompressOptions(tmp_path / "out", skip_existing=True)
    with pytest.raises(OutputError, match="the codebook of the outputs that are there is missing"):
        plan_compression([tmp_path / "in"], options)
    book = codebook()
    book.save(tmp_path / "out.codebook.npz")
    for name in ("a", "b"):
        save(noise(), tmp_path / "out" / f"{name}.png", **image_text("png", f"codebook={book.fingerprint[:16]}"))
    (tmp_path / "out" / "b.png").rename(tmp_path / "b.png")
    plan = plan_compression([tmp_path / "in"], options)
    assert [path.name for path in plan.jobs[0].source.paths] == ["b.png"]
    assert plan.skipped == []
    (tmp_path / "b.png").rename(tmp_path / "out" / "b.png")
    plan = plan_compression([tmp_path / "in"], options)
    assert (plan.jobs, len(plan.skipped)) == ([], 1)
