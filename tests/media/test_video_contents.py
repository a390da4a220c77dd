"""What a video file holds besides pictures and sound: kept where outputs can hold it, told where they cannot."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from containers import pieces, with_header
from pictures import READY, codebook, noise, smooth
from PIL import Image
from videos import FPS, write_video

from streamvq import MediaError, open_source
from streamvq.frames import Chapter

LANGUAGES = ["deu", "fra"]


def rich_video(path: Path, extras: bool = True) -> Path:
    """A title, chapters, sounds in two languages; a subtitle, an attachment, a second video and a cover picture."""
    with av.open(str(path), "w") as output:
        output.metadata["title"] = "Mein Film"
        records = [(0, 400, {"title": "Eins"}), (400, 800, {})]
        output.set_chapters(
            [
                {"id": number, "start": start, "end": end, "time_base": Fraction(1, 1000), "metadata": about}
                for number, (start, end, about) in enumerate(records, 1)
            ]
        )
        videos = [_video(output) for _ in range(1 + extras)]
        audio = []
        for name in LANGUAGES:
            stream: Any = output.add_stream("pcm_s16le" if path.suffix == ".mkv" else "aac", rate=48000)
            stream.codec_context.layout = "mono"
            stream.metadata["language"] = name
            audio.append(stream)
        subtitle = output.add_mux_stream("subrip", time_base=Fraction(1, 1000)) if extras else None
        if subtitle is not None:
            subtitle.metadata["language"] = "eng"
            _cover(output)
            output.add_attachment("font.ttf", "font/ttf", b"no real font")
        for index in range(20):
            for number, stream in enumerate(videos):
                picture = av.VideoFrame.from_ndarray(smooth(shift=index + 9 * number), format="rgb24")
                picture = picture.reformat(format=stream.pix_fmt)
                picture.pts, picture.time_base = index, 1 / FPS
                output.mux(stream.encode(picture))
        for stream in audio:
            _beep(output, stream)
        if subtitle is not None:
            packet = av.Packet(b"Guten Tag")
            packet.stream, packet.time_base, packet.pts, packet.dts = subtitle, Fraction(1, 1000), 100, 100
            packet.duration = 300
            output.mux(packet)
        for stream in (*videos, *audio):
            output.mux(stream.encode())
    return path


def _video(output: Any) -> Any:
    stream = output.add_stream("ffv1" if output.format.name == "matroska" else "mpeg4", rate=FPS)
    stream.width, stream.height = 48, 32
    stream.pix_fmt = "bgr0" if output.format.name == "matroska" else "yuv420p"
    return stream


def _cover(output: Any) -> None:
    """Matroska holds it as an attachment, and libav reads that as a video stream of one picture."""
    jpeg = io.BytesIO()
    Image.fromarray(noise()).save(jpeg, "JPEG")
    output.add_attachment("cover.jpg", "image/jpeg", jpeg.getvalue())


def _beep(output: Any, stream: Any) -> None:
    wave = np.zeros((1, 1024), np.int16 if stream.codec_context.name == "pcm_s16le" else np.float32)
    for index in range(30):
        frame = av.AudioFrame.from_ndarray(wave, format="s16" if wave.dtype == np.int16 else "fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, 1024 * index, Fraction(1, 48000)
        output.mux(stream.encode(frame))


def kept(path: Path) -> tuple[Any, ...]:
    """Title, chapters, and the languages of audio."""
    with av.open(str(path)) as container:
        chapters = tuple(
            Chapter(
                round(each["start"] * each["time_base"] * 1000),
                round(each["end"] * each["time_base"] * 1000),
                each["metadata"].get("title"),
            )
            for each in container.chapters()
        )
        languages = [stream.language for stream in container.streams.audio]
        return container.metadata.get("title"), chapters, languages


@pytest.mark.parametrize("out", ["out.mkv", "out.mp4"])
@pytest.mark.parametrize("by_svq", [False, True], ids=["straight", "through .svq"])
def test_languages_title_and_chapters_are_kept(out: str, by_svq: bool, tmp_path: Path, good: Callable) -> None:
    source = rich_video(tmp_path / ("in.mkv" if out == "out.mkv" else "in.mp4"), extras=False)
    if by_svq:
        good("compress", source, *READY, "-o", tmp_path / "way.svq")
        good("decompress", tmp_path / "way.svq", "-o", tmp_path / out)
    else:
        good("compress", source, *READY, "-o", tmp_path / out)
    title, chapters, languages = kept(tmp_path / out)
    assert (title, languages) == ("Mein Film", LANGUAGES)
    assert [(each.start_ms, each.end_ms) for each in chapters] == [(0, 400), (400, 800)]
    assert chapters[0].title == "Eins"


def test_what_is_left_out_is_told_in_one_line(tmp_path: Path, good: Callable) -> None:
    result = good("compress", rich_video(tmp_path / "in.mkv"), *READY, "-o", tmp_path / "out.mkv")
    (line,) = [line for line in result.stderr.splitlines() if "left out" in line]
    assert "1 other video stream, 1 subtitle stream, 1 cover picture and 1 attachment are left out" in line


def test_plain_videos_have_nothing_to_tell(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth()] * 3, audio="aac")
    assert "left out" not in good("compress", source, *READY, "-o", tmp_path / "out.mkv").stderr


def test_avi_says_what_it_cannot_hold(tmp_path: Path, good: Callable) -> None:
    source = rich_video(tmp_path / "in.mkv", extras=False)
    result = good("compress", source, *READY, "-o", tmp_path / "out.avi")
    lines = [line for line in result.stderr.splitlines() if "out.avi" in line]
    assert any("languages of audio (deu, fra)" in line for line in lines)
    assert any("no chapters" in line for line in lines)
    assert kept(tmp_path / "out.avi")[0] == "Mein Film"


def test_a_folder_of_images_says_so_in_one_line(tmp_path: Path, good: Callable) -> None:
    source = rich_video(tmp_path / "in.mkv", extras=False)
    result = good("compress", source, *READY, "-o", tmp_path / "out")
    assert "holds no audio and no chapters, so the input's are left out" in result.stderr


def test_a_part_of_a_clip_has_no_chapters(tmp_path: Path, good: Callable) -> None:
    good("compress", rich_video(tmp_path / "in.mkv", extras=False), *READY, "-o", tmp_path / "x.svq")
    good("decompress", tmp_path / "x.svq", "--frames", "5:9", "-o", tmp_path / "part.mkv")
    assert kept(tmp_path / "part.mkv") == ("Mein Film", (), [])


def test_music_with_a_cover_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.mkv"), "w") as output:
        _cover(output)
        audio: Any = output.add_stream("pcm_s16le", rate=48000)
        audio.codec_context.layout = "mono"
        _beep(output, audio)
    with pytest.raises(MediaError, match=r"song\.mkv: holds no video"):
        open_source(tmp_path / "song.mkv")


def test_info_of_a_video(tmp_path: Path, good: Callable) -> None:
    path = rich_video(tmp_path / "in.mkv")
    record = json.loads(good("info", path, "--json").stdout)
    expected = {
        "title": "Mein Film",
        "chapters": ["0.000 Eins", "0.400"],
        "audio_languages": LANGUAGES,
        "subtitles": ["eng"],
        "other_videos": 1,
        "cover_pictures": 1,
        "attachments": 1,
        "rotation": None,
    }
    assert record == record | expected
    good("compress", path, *READY, "-o", tmp_path / "x.svq")
    record = json.loads(good("info", tmp_path / "x.svq", "--json").stdout)
    assert (record["title"], record["chapters"], record["seconds"]) == ("Mein Film", ["0.000 Eins", "0.400"], 0.8)


def test_svq_files_without_them_are_as_before(tmp_path: Path, good: Callable) -> None:
    good("compress", write_video(tmp_path / "in.mkv", [smooth()] * 3), *READY, "-o", tmp_path / "x.svq")
    header = json.loads(pieces((tmp_path / "x.svq").read_bytes())[0][1])
    assert not {"title", "chapters"} & header.keys()


@pytest.mark.parametrize(
    "lie",
    [
        {"title": 7},
        {"title": ""},
        {"title": "x" * 1001},
        {"chapters": 1},
        {"chapters": [[0, 1]]},
        {"chapters": [[5, 5, None]]},
        {"chapters": [[0, 2**60, None]]},
        {"chapters": [[0, "1", None]]},
        {"chapters": [[0, 1, 2]]},
        {"chapters": [[0, 1, None]] * 10_001},
    ],
)
def test_lies_in_a_header(lie: dict[str, Any], tmp_path: Path, refused: Callable) -> None:
    from containers import svq_bytes, timed_frames

    book = codebook()
    data = with_header(svq_bytes(book, timed_frames(book)), **lie)
    (tmp_path / "x.svq").write_bytes(data)
    line = refused("decompress", tmp_path / "x.svq", "-o", tmp_path / "out.mkv")
    assert "x.svq: is damaged in its header" in line
    assert len(line) < 300


def test_tags_that_are_no_utf_8_are_read(tmp_path: Path) -> None:
    path = write_video(tmp_path / "in.mkv", [smooth()] * 2)
    with av.open(str(path)) as old, av.open(str(tmp_path / "b.mkv"), "w", metadata_encoding="latin-1") as new:
        new.metadata["title"] = "Käse"
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    with open_source(tmp_path / "b.mkv") as source:
        assert (source.info.title or "").startswith("K")
        assert sum(1 for _ in source) == 2


def test_alpha_of_vp9(tmp_path: Path, good: Callable) -> None:
    """WebM keeps it in a second, hidden video, which libav's own decoders of VP8 and VP9 leave out."""
    alpha = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (32, 1))
    pictures = [np.dstack([smooth(shift=i), alpha]) for i in range(4)]
    path = write_video(tmp_path / "in.webm", pictures, pixel_format="yuva420p")
    with open_source(path) as source:
        frames = list(source)
        assert not source.notes
    assert len(frames) == 4
    assert all(np.abs(frame.pixels[..., 3].astype(int) - alpha).max() < 12 for frame in frames)
    good("compress", path, *READY, "-o", tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert next(container.decode(video=0)).format.name == "bgra"
