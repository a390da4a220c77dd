"""The `.svq` source: parts of a file, groups decoded once, and damage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from containers import assert_same, offsets, saved, small_file
from pictures import snapshot

from streamvq import MediaDamaged, UsageError, open_source
from streamvq.container import reader
from streamvq.container.groups import Group
from streamvq.frames import CodedFrame
from streamvq.media.sources.svq import SvqSource

DATA, FRAMES = small_file()


@pytest.mark.parametrize("only", [range(0, 1), range(2, 4), range(3, 6), range(6, 7), range(0, 7), range(5, 2**62)])
def test_a_part_of_a_file(only: range, tmp_path: Path) -> None:
    path = saved(tmp_path / "x.svq", DATA)
    with SvqSource(path, "x.svq", only=only) as source:
        found = [group.frames()[position] for group, position in source.items()]
    assert_same(found, [frame for frame in FRAMES if frame.index in only])


@pytest.mark.parametrize("only", [range(0, 2), range(3, 4), range(2, 5), range(6, 7)])
def test_a_part_needs_its_own_groups_only(
    only: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: Callable
) -> None:
    """The others may be damaged, and are not decoded."""
    bad, needed = bytearray(DATA), []
    for number, (_, start, end) in enumerate(part for part in offsets(DATA) if part[0] == b"GRUP"):
        inside = range(2 * number, 2 * number + 2)
        if set(inside) & set(only):
            needed.append(number)
        else:
            bad[start + 10 : end - 4] = bytes(end - 4 - start - 10)
    decoded, decode = [], reader.decode_group

    def counted(group: Group, *rest: object) -> list[CodedFrame]:
        decoded.append(group.first // 2)
        return decode(group, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(reader, "decode_group", counted)
    path = saved(tmp_path / "x.svq", bytes(bad))
    good("decompress", path, "-o", tmp_path / "out", "--frames", f"{only.start}:{only.stop}")
    assert sorted(snapshot(tmp_path / "out")) == [f"{index}.png" for index in only]
    assert sorted(decoded) == needed


def test_a_part_beyond_the_end(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.svq", DATA)
    with SvqSource(path, "x.svq", only=range(7, 9)) as source, pytest.raises(UsageError, match="frames 0 to 6"):
        list(source.items())


def test_a_group_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded, decode = [], reader.decode_group
    monkeypatch.setattr(reader, "decode_group", lambda *arguments: decoded.append(1) or decode(*arguments))
    with SvqSource(saved(tmp_path / "x.svq", DATA), "x.svq") as source:
        assert len(list(source)) == 7
    assert len(decoded) == 4


def test_a_file_that_breaks_off_is_noticed(tmp_path: Path) -> None:
    """As every source promises: it raises, or with keep_going says so."""
    cut = saved(tmp_path / "x.svq", DATA[: offsets(DATA)[3][2] + 3])
    with open_source(cut) as source, pytest.raises(MediaDamaged, match="cut off: 4 of about 7"):
        list(source)
    with open_source(cut, keep_going=True) as source:
        assert len(list(source)) == 4
    assert any("cut off" in note for note in source.notes)
