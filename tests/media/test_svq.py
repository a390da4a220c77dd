"""The `.svq` sink and source: groups, audio, times, parts of a file, and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from containers import TICK, assert_same, facts, offsets, pieces, read_all, saved, small_file
from pictures import SAMPLES, codebook, coded, noise, save, smooth, snapshot
from videos import FPS, audio_packets, frame_times, read_video, write_video

import streamvq
from streamvq import (
    IndexFrame,
    MediaDamaged,
    OutputError,
    StreamInfo,
    UsageError,
    WriteOptions,
    open_sink,
    open_source,
)
from streamvq.container import group_size, reader
from streamvq.media.sources.svq import SvqSource


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of four frames of 64x48."""
    monkeypatch.setattr(group_size, "MAX_PIXELS", 4 * 64 * 48)


def clip(folder: Path, count: int = 20, **options: object) -> Path:
    pictures = [smooth(48, 64, shift) for shift in range(count)]
    return write_video(folder / "in.mkv", pictures, **options)  # type: ignore[arg-type]


def packets(path: Path) -> list[tuple[int, bytes, Fraction, Fraction]]:
    """Stream, content and exact times of every audio packet, in the order of the file."""
    with av.open(str(path)) as container:
        streams = container.streams.audio
        return [
            (p.stream.index, bytes(p), p.pts * Fraction(p.time_base), p.dts * Fraction(p.time_base))  # type: ignore
            for p in container.demux(*streams)
            if p.size
        ]


def group_sizes(path: Path) -> list[int]:
    with reader.open_svq(path) as opened:
        return [group.n_frames for group in opened.groups()]


AUDIO = [
    ("aac", ".mkv"),
    ("aac", ".mp4"),
    ("libmp3lame", ".mkv"),
    ("libopus", ".mkv"),
    ("flac", ".mkv"),
    ("pcm_s16le", ".mov"),
    ("ac3", ".mkv"),
]


@pytest.mark.parametrize(("codec", "suffix"), AUDIO, ids=["-".join(pair) for pair in AUDIO])
def test_audio_is_as_if_it_had_gone_straight(
    codec: str, suffix: str, small_groups: None, tmp_path: Path, good: Callable
) -> None:
    """Same packets at the same times; same pictures at the same times."""
    pictures = [smooth(48, 64, shift) for shift in range(20)]
    source = write_video(tmp_path / f"in{suffix}", pictures, audio=codec)
    codebook(8).save(tmp_path / "book.npz")
    book = ("-c", tmp_path / "book.npz", "-q")
    for out in (".mkv", ".mov") if codec == "aac" else (".mkv",):
        good("compress", source, *book, "-o", tmp_path / f"straight{out}")
        good("compress", source, *book, "-o", tmp_path / "way.svq", "-f")
        good("decompress", tmp_path / "way.svq", "-o", tmp_path / f"round{out}")
        straight, round_ = tmp_path / f"straight{out}", tmp_path / f"round{out}"
        assert len(group_sizes(tmp_path / "way.svq")) == 5
        ours, theirs = packets(round_), packets(straight)
        if codec == "libopus":  # NUT does not keep the codec delay, so Matroska rounds the first time otherwise
            assert abs(ours[0][2] - theirs[0][2]) <= Fraction(1, 1000)
            assert ours.pop(0)[1] == theirs.pop(0)[1]
        assert ours == theirs
        assert len(theirs) > 1
        assert frame_times(round_) == frame_times(straight) == [index / FPS for index in range(20)]
        for one, other in zip(read_video(round_), read_video(straight), strict=True):
            assert (one == other).all()


def test_the_sample_clip(tmp_path: Path, good: Callable) -> None:
    """Of blocks, a part of it; as the command line does it."""
    source = tmp_path / "clip.mp4"
    with av.open(str(SAMPLES / "clip.mp4")) as old, av.open(str(source), "w") as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None and packet.dts * packet.time_base < 0.3:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    options = ("--block", "8x4", "-k", 64, "-q")
    good("compress", source, *options, "-o", tmp_path / "straight.mkv")
    good("compress", source, *options)
    good("decompress", tmp_path / "clip.svq", "-o", tmp_path / "round.mkv")
    assert packets(tmp_path / "round.mkv") == packets(tmp_path / "straight.mkv")
    assert frame_times(tmp_path / "round.mkv") == frame_times(tmp_path / "straight.mkv")
    for one, other in zip(read_video(tmp_path / "round.mkv"), read_video(tmp_path / "straight.mkv"), strict=True):
        assert (one == other).all()


def test_audio_lies_between_the_groups(small_groups: None, tmp_path: Path, good: Callable) -> None:
    """So that a file that is cut has the sound of the frames that are left, and a pipe need not hold it all."""
    source = clip(tmp_path, audio="aac")
    good("compress", source, "-k", 8, "-o", tmp_path / "x.svq")
    data = (tmp_path / "x.svq").read_bytes()
    kinds = [kind for kind, _ in pieces(data)]
    assert kinds.count(b"AUDI") >= 4
    assert kinds.index(b"AUDI") < kinds.index(b"GRUP")
    cut = [end for kind, _, end in offsets(data) if kind == b"GRUP"][2]
    saved(tmp_path / "cut.svq", data[:cut])
    streamvq.decompress(tmp_path / "cut.svq", tmp_path / "cut.mkv")
    assert len(read_video(tmp_path / "cut.mkv")) == 12
    whole = audio_packets(source)
    left = audio_packets(tmp_path / "cut.mkv")
    assert left == whole[: len(left)]
    assert len(left) >= 12 / 20 * len(whole) - 3


def test_a_clip_again_and_again(small_groups: None, tmp_path: Path, good: Callable) -> None:
    """.svq to .svq, by decompress and by compress: the same frames and the same sound."""
    source = clip(tmp_path, audio="libmp3lame")
    good("compress", source, "-k", 8, "-o", tmp_path / "1.svq")
    good("decompress", tmp_path / "1.svq", "-o", tmp_path / "2.svq")
    good("compress", tmp_path / "1.svq", "-c", tmp_path / "1.svq", "-o", tmp_path / "3.svq")
    first = read_all((tmp_path / "1.svq").read_bytes())[0]
    good("decompress", tmp_path / "1.svq", "-o", tmp_path / "1.mkv")
    for name in ("2", "3"):
        assert_same(read_all((tmp_path / f"{name}.svq").read_bytes())[0], first)
        good("decompress", tmp_path / f"{name}.svq", "-o", tmp_path / f"{name}.mkv")
        assert packets(tmp_path / f"{name}.mkv") == packets(tmp_path / "1.mkv")


def test_audio_that_cannot_be_held_is_said(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mov", [smooth(shift=shift) for shift in range(10)], audio="alac")
    result = good("compress", source, "-k", 8, "-o", tmp_path / "x.svq")
    assert "alac" in result.stderr
    assert "left out" in result.stderr
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "out.mkv")
    assert len(read_video(tmp_path / "out.mkv")) == 10


def test_several_sounds(tmp_path: Path, good: Callable) -> None:
    one, both = clip(tmp_path, audio="aac"), tmp_path / "both.mkv"
    with av.open(str(one)) as source, av.open(str(one)) as again, av.open(str(both), "w") as output:
        outputs = {0: output.add_stream_from_template(source.streams.video[0])}
        outputs[1] = output.add_stream_from_template(source.streams.audio[0])
        extra = output.add_stream_from_template(again.streams.audio[0])
        mixed = [(p, outputs[p.stream.index]) for p in source.demux() if p.size]
        mixed += [(p, extra) for p in again.demux(audio=0) if p.size]
        for packet, stream in sorted(mixed, key=lambda pair: pair[0].dts * pair[0].time_base):
            packet.stream = stream
            output.mux(packet)
    good("compress", both, "-k", 8, "-o", tmp_path / "straight.mkv")
    good("compress", both, "-k", 8, "-o", tmp_path / "x.svq")
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "out.mkv")
    found, expected = packets(tmp_path / "out.mkv"), packets(tmp_path / "straight.mkv")
    assert {stream for stream, *_ in expected} == {1, 2}
    for stream in (1, 2):
        assert [p for p in found if p[0] == stream] == [p for p in expected if p[0] == stream]


@pytest.mark.parametrize("tick", [Fraction(1001, 30000), Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 25)])
def test_times_stay_exact(tick: Fraction, tmp_path: Path) -> None:
    """Of a variable frame rate, and where no clock of the output could tell them."""
    ticks = [3, 4, 6, 7, 20, 1000, 1001]
    source = write_video(tmp_path / "in.mp4", [smooth(shift=s) for s in range(7)], ticks, tick)
    with open_source(source) as opened:
        expected = [(frame.time, frame.duration) for frame in opened]
    streamvq.compress(source, tmp_path / "x.svq", 8)
    with streamvq.open(tmp_path / "x.svq") as read:
        assert [(frame.time, frame.duration) for frame in read] == expected
        assert [frame.time - read[0].time for frame in read] == [(t - 3) * tick for t in ticks]
    for way in ("straight", "round"):
        if way == "straight":
            streamvq.compress(source, tmp_path / "straight.mp4", 8)
        else:
            streamvq.decompress(tmp_path / "x.svq", tmp_path / "round.mp4")
    assert frame_times(tmp_path / "round.mp4") == frame_times(tmp_path / "straight.mp4")


def test_pixel_aspect_and_frame_rate(tmp_path: Path) -> None:
    info = StreamInfo(8, 6, Fraction(30000, 1001), None, Fraction(1, 90000), Fraction(12, 11))
    book = codebook(16)
    frames = [coded(book, 6, 8, i, time=i * Fraction(1001, 30000)) for i in range(5)]
    with open_sink(tmp_path / "x.svq", book, info) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    with open_source(tmp_path / "x.svq") as source:
        assert source.info == info
        assert source.codec == "svq"
    streamvq.decompress(tmp_path / "x.svq", tmp_path / "x.mp4")
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(12, 11)
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)


@pytest.mark.parametrize(("sizes", "expected"), [([(48, 64)] * 10, [4, 4, 2]), ([(96, 64)] * 5, [2, 2, 1])])
def test_groups_are_of_so_many_pixels(
    sizes: list[tuple[int, int]], expected: list[int], small_groups: None, tmp_path: Path
) -> None:
    for index, size in enumerate(sizes):
        save(smooth(*size, shift=index), tmp_path / "in" / f"{index}.png")
    streamvq.compress(tmp_path / "in", tmp_path / "x.svq", 8)
    assert group_sizes(tmp_path / "x.svq") == expected


def test_a_group_of_many_codes_ends_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(group_size, "MAX_CODES", 2 * 64 * 48)
    for count, block in ((2, 1), (8, 2)):
        streamvq.compress(clip(tmp_path, 10), tmp_path / f"{block}.svq", 8, block=block)
        sizes = group_sizes(tmp_path / f"{block}.svq")
        assert sizes[0] == count
        assert sum(sizes) == 10


@pytest.mark.parametrize("lossy", [0, 8])
def test_the_same_bytes_for_any_number_of_workers(lossy: float, small_groups: None, tmp_path: Path) -> None:
    source, outputs = clip(tmp_path, 12, audio="aac"), []
    for run, jobs in enumerate((1, 2, 3)):
        (folder := tmp_path / str(run)).mkdir()
        streamvq.compress(source, folder / "x.svq", 16, jobs=jobs, lossy=lossy)
        outputs.append(snapshot(folder))
    assert all(output == outputs[0] for output in outputs)
    assert "x.codebook.npz" in outputs[0]


def test_the_same_bytes_back_for_any_number_of_workers(small_groups: None, tmp_path: Path) -> None:
    streamvq.compress(clip(tmp_path, 12, audio="aac"), tmp_path / "x.svq", 16)
    for out in ("x.svq", "x.mkv", "x", "x.mp4"):
        outputs = []
        for run, jobs in enumerate((1, 2, 3)):
            (folder := tmp_path / out.replace(".", "") / str(run)).mkdir(parents=True)
            streamvq.decompress(tmp_path / "x.svq", folder / out, jobs=jobs)
            outputs.append(snapshot(folder))
        assert outputs[0] == outputs[1] == outputs[2], out


def test_the_same_bytes_in_another_process(tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]) -> None:
    source = clip(tmp_path, audio="aac")
    streamvq.compress(source, tmp_path / "here.svq", 16, block=2, lossy=3)
    options = ("-k", 16, "--block", 2, "--lossy", 3, "-j", 2, "-o", tmp_path / "there.svq")
    process = start("compress", source, *options)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr.decode()
    assert (tmp_path / "here.svq").read_bytes() == (tmp_path / "there.svq").read_bytes()


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

    def counted(payload: bytes, *rest: object) -> list[IndexFrame]:
        decoded.append(payload[0] // 2)
        return decode(payload, *rest)  # type: ignore[arg-type]

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


def test_names_and_alpha_of_images(tmp_path: Path) -> None:
    """What a folder of images needs: names in subfolders, mixed sizes, and soft or binary transparency."""
    pixels = {
        "a b.png": noise(9, 7, 4),
        "Frühling 春/🌸 100%.png": noise(5, 12, seed=1),
        "deep/er/mask.png": noise(8, 8, 4, 2)
        // np.array([1, 1, 1, 128]).astype(np.uint8)
        * np.array([1, 1, 1, 255], np.uint8),
        "deep/gray.png": noise(3, 4, 1, 3),
    }
    for name, picture in pixels.items():
        save(picture, tmp_path / "in" / name)
    result = streamvq.compress(tmp_path / "in", tmp_path / "x.svq", 64, recursive=True)
    with streamvq.open(tmp_path / "x.svq") as read:
        assert {frame.name for frame in read} == set(pixels)
        for frame in read:
            picture = pixels[str(frame.name)]
            assert frame.pixels.shape[:2] == picture.shape[:2]
            if picture.shape[2] == 4:
                assert (frame.pixels[..., 3] == picture[..., 3]).all()
            else:
                assert frame.pixels.shape[2] == 3
    assert result.parts["alpha"] > 0
    assert sum(result.parts.values()) == result.bytes_out == (tmp_path / "x.svq").stat().st_size


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    book = codebook(16)

    def write() -> None:
        with open_sink(tmp_path / "x.svq", book, StreamInfo()) as sink:
            sink.write(sink.encode(coded(book, name="caf\udce9.png")))

    with pytest.raises(OutputError, match="caf"):
        write()
    assert snapshot(tmp_path) == {}


def test_a_time_off_the_clock_is_refused(tmp_path: Path) -> None:
    book = codebook(16)

    def write() -> None:
        with open_sink(tmp_path / "x.svq", book, StreamInfo(8, 6, FPS, time_base=TICK)) as sink:
            sink.write(sink.encode(coded(book, 6, 8, time=Fraction(1, 26))))

    with pytest.raises(OutputError, match="1/26"):
        write()
    assert snapshot(tmp_path) == {}


def test_standard_output_is_the_same_file(
    tmp_path: Path, good: Callable, capsysbinary: pytest.CaptureFixture
) -> None:
    source = clip(tmp_path, audio="aac")
    good("compress", source, "-k", 8, "-o", tmp_path / "x.svq")
    book = ("-c", tmp_path / "x.codebook.npz")
    piped = good("compress", source, *book, "-o", "-", "--format", "svq").stdout_bytes
    assert piped == (tmp_path / "x.svq").read_bytes()


def test_standard_output_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(OutputError, match="terminal"):
        open_sink("-", codebook(), StreamInfo(), WriteOptions(format="svq"))


def test_what_the_result_says(tmp_path: Path) -> None:
    result = streamvq.compress(clip(tmp_path, audio="aac"), tmp_path / "x.svq", 8, block=(2, 4))
    assert set(result.parts) == {"header", "codebook", "frame tables", "alpha", "indices", "audio", "index"}
    assert sum(result.parts.values()) == result.bytes_out == (tmp_path / "x.svq").stat().st_size
    assert result.parts["indices"] > 0
    assert result.parts["audio"] > 0
    assert (result.frames, result.width, result.height, result.block) == (20, 64, 48, (2, 4))
    assert result.bits_per_pixel == pytest.approx(8 * result.bytes_out / (20 * 64 * 48))
    assert result.compression_rate == pytest.approx((24 * 8 - 3) / (24 * 8))
    assert json.dumps(result.as_dict())


def test_the_codebook_inside_is_that_of_the_file_beside(tmp_path: Path) -> None:
    streamvq.compress(clip(tmp_path, 3), tmp_path / "x.svq", 8)
    with streamvq.open(tmp_path / "x.svq") as read:
        assert read.codebook == streamvq.Codebook.load(tmp_path / "x.codebook.npz")


def test_external_codebooks(tmp_path: Path) -> None:
    source = clip(tmp_path, 5)
    streamvq.compress(source, tmp_path / "in.svq", 8)
    book = streamvq.Codebook.load(tmp_path / "in.codebook.npz")
    streamvq.compress(source, tmp_path / "out.svq", codebook=book, external_codebook=True)
    inside, outside = ((tmp_path / f"{name}.svq").read_bytes() for name in ("in", "out"))
    assert [kind for kind, _ in pieces(outside)] == [kind for kind, _ in pieces(inside) if kind != b"BOOK"]
    assert list(map(facts, read_all(outside, book)[0])) == list(map(facts, read_all(inside)[0]))
    with open_source(tmp_path / "out.svq", codebook=book) as opened:
        assert len(list(opened)) == 5
