"""What every sink promises of its output as a whole: finished, then committed; or as if it had never been."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pictures import codebook, coded, snapshot
from sink_cases import (
    ANIMATIONS,
    COMPRESSED,
    FILES,
    IMAGES,
    INDEX_FILES,
    VIDEOS,
    Frames,
    SinkCase,
    each,
    frames_for,
    opened,
    read,
    write,
)
from videos import FPS

from streamvq import OutputError, OutputExists, StreamInfo


@each(FILES)
def test_nothing_else_is_left_and_its_size_is_told(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    size = write(tmp_path, case, book, frames_for(case, book))
    assert [path.name for path in tmp_path.iterdir()] == [case.name]
    assert size == sum(len(content) for content in snapshot(tmp_path).values())


@each(FILES)
@pytest.mark.parametrize("when", ["at once", "after a frame"])
@pytest.mark.parametrize("existing", [False, True])
def test_an_error_leaves_everything_as_it_was(case: SinkCase, when: str, existing: bool, tmp_path: Path) -> None:
    book = codebook()
    if existing:
        write(tmp_path, case, codebook(seed=9), frames_for(case, book))
    before = snapshot(tmp_path)

    def break_off() -> None:
        with case.open(tmp_path, book, StreamInfo(fps=FPS), overwrite=True) as sink:
            if when == "after a frame":
                sink.write(sink.encode(coded(book)))
            raise RuntimeError("the source died")

    with pytest.raises(RuntimeError, match="the source died"):
        break_off()
    assert snapshot(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == int(existing)


@each(FILES)
def test_what_exists_is_refused_and_with_overwrite_replaced(case: SinkCase, tmp_path: Path) -> None:
    old, new = codebook(seed=9), codebook()
    write(tmp_path, case, old, frames_for(case, old))
    before = snapshot(tmp_path)
    with pytest.raises(OutputExists, match=case.name):
        write(tmp_path, case, new, frames_for(case, new))
    assert snapshot(tmp_path) == before
    write(tmp_path, case, new, changed(frames_for(case, new)), overwrite=True)
    assert snapshot(tmp_path) != before
    assert snapshot(tmp_path).keys() == before.keys()


@each(FILES)
def test_a_missing_folder_is_named(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    with pytest.raises(OutputError, match="missing"):
        write(tmp_path / "missing", case, book, frames_for(case, book))
    assert snapshot(tmp_path) == {}


@each(VIDEOS | ANIMATIONS | IMAGES | COMPRESSED | INDEX_FILES)
def test_no_frames_at_all_is_an_error(case: SinkCase, tmp_path: Path) -> None:
    def write_nothing() -> None:
        with case.open(tmp_path, codebook()):
            pass

    with pytest.raises(OutputError, match=case.name):
        write_nothing()
    assert snapshot(tmp_path) == {}


def changed(frames: Frames) -> Frames:
    """The same with other codes of 16: an output of indices alone is the same for any codebook."""
    return [replace(frame, codes=15 - frame.codes) for frame in frames]


def visible(folder: Path) -> dict[str, bytes]:
    """The files that are not temporary."""
    return {name: data for name, data in snapshot(folder).items() if not name.startswith(".")}


@each(FILES)
@pytest.mark.parametrize("existing", [False, True])
def test_nothing_has_its_name_before_commit(case: SinkCase, existing: bool, tmp_path: Path) -> None:
    book = codebook()
    frames = frames_for(case, book)
    if existing:
        write(tmp_path, case, codebook(seed=9), changed(frames))
    before = snapshot(tmp_path)
    with opened(tmp_path, case, book, frames, overwrite=True) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
        assert visible(tmp_path) == before
        sink.finish()
        assert visible(tmp_path) == before
        size, parts, notes = sink.size_bytes, dict(sink.parts), list(sink.notes)
        sink.commit()
        after = snapshot(tmp_path)
        assert after == visible(tmp_path) != before
    assert snapshot(tmp_path) == after
    assert (sink.size_bytes, sink.parts, sink.notes) == (size, parts, notes)
    assert size == sum(map(len, after.values()))


@each(FILES)
def test_finishing_and_committing_again_changes_nothing(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    frames = frames_for(case, book)
    outputs = []
    for name, calls in (("left", ""), ("finished", "ff"), ("committed", "cc"), ("both", "fcfc")):
        (folder := tmp_path / name).mkdir()
        with opened(folder, case, book, frames) as sink:
            for frame in frames:
                sink.write(sink.encode(frame))
            for call in calls:
                (sink.finish if call == "f" else sink.commit)()
        outputs.append(
            (snapshot(folder), sink.size_bytes, sink.parts, [note.split(": ", 1)[1] for note in sink.notes])
        )
    assert all(output == outputs[0] for output in outputs)


@each(FILES)
@pytest.mark.parametrize("existing", [False, True])
def test_an_error_between_finish_and_commit_undoes_all(case: SinkCase, existing: bool, tmp_path: Path) -> None:
    book = codebook()
    frames = frames_for(case, book)
    if existing:
        write(tmp_path, case, codebook(seed=9), frames)
    before = snapshot(tmp_path)

    def refuse() -> None:
        with opened(tmp_path, case, book, frames, overwrite=True) as sink:
            for frame in frames:
                sink.write(sink.encode(frame))
            sink.finish()
            raise RuntimeError("not accepted")

    with pytest.raises(RuntimeError, match="not accepted"):
        refuse()
    assert snapshot(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == int(existing)


@each(FILES)
def test_an_error_after_commit_keeps_the_output(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    frames = frames_for(case, book)

    def fail_late() -> None:
        with opened(tmp_path, case, book, frames) as sink:
            for frame in frames:
                sink.write(sink.encode(frame))
            sink.commit()
            raise RuntimeError("too late")

    with pytest.raises(RuntimeError, match="too late"):
        fail_late()
    assert len(read(tmp_path / case.name)) == len(frames)


@each(FILES)
def test_a_name_that_was_taken_meanwhile_is_refused(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    frames = frames_for(case, book)
    with opened(tmp_path, case, book, frames) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
        sink.finish()
        write(tmp_path, case, codebook(seed=9), frames)
        other = visible(tmp_path)
        with pytest.raises(OutputExists, match=case.name):
            sink.commit()
    assert snapshot(tmp_path) == other


def test_frames_of_a_longer_folder_go_at_commit(tmp_path: Path) -> None:
    book, case = codebook(), FILES["folder of png"]
    frames = frames_for(case, book)
    write(tmp_path, case, book, frames)
    with opened(tmp_path, case, book, frames[:2], overwrite=True) as sink:
        for frame in frames[:2]:
            sink.write(sink.encode(frame))
        sink.finish()
        assert len(visible(tmp_path)) == len(frames)
        sink.commit()
        assert sorted(snapshot(tmp_path)) == ["out/frame000000.png", "out/frame000001.png"]
