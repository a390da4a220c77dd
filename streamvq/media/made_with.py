"""What outputs say of how they were made: their codebook's fingerprint, and the settings that changed their bytes."""

from __future__ import annotations

import re
import struct
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

from PIL import Image, PngImagePlugin

from streamvq.container.reader import open_svq
from streamvq.errors import StreamVQError
from streamvq.keywords import options_of
from streamvq.media.aseprite.chunks import FRAME_HEADER_BYTES, HEADER_BYTES, USER_DATA, read_frame, read_string
from streamvq.media.libav import url
from streamvq.options import EXACT_VIDEO, MATCHINGS, OUTPUT_FORMATS, PREVIEW_VIDEO, WriteOptions

_PNG_KEY, _MATROSKA_KEY, _OTHER_KEY = "streamvq", "STREAMVQ", "comment"
C_REMARK = " * made with streamvq: "  # begins the line of a C header that says it
_DIGITS = 16  # of a fingerprint: enough to tell codebooks apart, and few, for small images are many
_DESCRIPTION = 270  # the tag ImageDescription of TIFF and EXIF
# Of settings in a line, so that outputs that are there still match; those of newer options follow.
_ORDER = (
    "method", "rank", "energy", "patch", "lossy", "stability", "dither", "dither_strength", "fit_gamut", "crf", "fps",
    "every", "trim", "width", "loop", "frames", "pack_bits", "bit_order", "unpadded", "alpha", "background",
    "emit_palette", "n_codes", "bits", "gray", "space", "weight", "seed", "reserve", "palette", "order",
    "transparent_index",
)  # fmt: skip
_EXTERNAL = " external_codebook=True"  # no setting in a file, which shows it
_MATCHED = "emit_palette"  # outputs hold its colors as their codebook, and name the one that was matched


class Named(Protocol):
    """What says which codes frames are made of: a codebook, another decoder, or the header of a `.svq` file."""

    @property
    def fingerprint(self) -> str | None: ...
    @property
    def matching(self) -> str | None: ...


def made_with(codes: Named | None, options: WriteOptions) -> str:
    """One line that is the same for the same codebook and settings, such as "codebook=7c9e... lossy=8".

    `codes` is None, or has no fingerprint, where frames are factors. Settings are those of `compress`, `apply` or
    `decompress` that change what is written, where they are not the default.
    """
    if getattr(options, "own_palettes", False):
        space: str = options.matching  # type: ignore[attr-defined]
        return " ".join(["codebook=own", *_compared_in(space), *settings_given(options)])
    return " ".join([*_named(codes), *settings_given(options)])


def made_as(format: str, text: str, options: WriteOptions) -> str:
    """What `read_made_with` says of an output of a format that has the line `text`."""
    return text + _EXTERNAL if format == "svq" and getattr(options, "external_codebook", False) else text


def _named(codes: Named | None) -> list[str]:
    if codes is None or not codes.fingerprint:
        return ["factors"]
    return [f"codebook={codes.fingerprint[:_DIGITS]}", *_compared_in(codes.matching)]


def _compared_in(matching: str | None) -> list[str]:
    return [f"space={matching}"] if matching not in (None, "rgb") else []


def settings_given(options: WriteOptions) -> list[str]:
    """The part of `made_with` that says nothing of the codebook."""
    kind: Any = type(options)
    factors, own = getattr(options, "stores_factors", False), getattr(options, "own_palettes", False)
    compared = {"output", *["factors"] * factors, *["codes"] * own}
    names = [name for name, each in options_of(kind).items() if each.changes & compared]
    found = {name: getattr(options, name) for name in sorted(names, key=_place)}
    told = [] if factors else ["method"]  # by the ranks
    if own:
        told += ["per", "block", *["space"] * (found["space"] in MATCHINGS)]  # by "codebook=own" and its space
    if found.get("codec") == "ffv1":
        told.append("codec")  # by the format, whose default it is
    found["fps"] = None if options.fps is None else options.frame_rate  # however it is written
    defaults = {each.name: each.default for each in fields(kind)}
    changed = {name: value for name, value in found.items() if name not in told and value != defaults[name]}
    if _MATCHED in changed:
        changed["matched"] = str(changed.pop(_MATCHED))[:_DIGITS]
    return [f"{name}={_text(value)}" for name, value in changed.items()]


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def codebook_named(text: str | None) -> str | None:
    """The start of the fingerprint in a line of `made_with`."""
    match = re.match(rf"codebook=([0-9a-f]{{{_DIGITS}}})\b", text or "")
    return match[1] if match else None


def image_text(format: str, text: str) -> dict[str, Any]:
    """The arguments of Pillow's `save` that put `text` into an image of a format, nothing else."""
    if format == "png":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_text(_PNG_KEY, text)
        return {"pnginfo": chunks}
    if format == "tiff":
        return {"description": text}
    if format == "jpg":
        return {"comment": text}
    if format == "webp":
        exif = Image.Exif()
        exif[_DESCRIPTION] = text
        return {"exif": exif}
    return {}


def video_text(format: str, text: str) -> dict[str, str]:
    """The tags of a video file that hold `text`; only Matroska takes names of our own."""
    return {_MATROSKA_KEY if format in ("mkv", "webm") else _OTHER_KEY: text}


def read_made_with(path: Path, format: str) -> str | None:
    """What an output says of how it was made; None where it says nothing, or is no such file."""
    try:
        if format == "svq":
            with open_svq(path) as reader:
                header, external = reader.header, not reader.parts["codebook"]
            return " ".join([*_named(header), *header.settings]) + _EXTERNAL * bool(external and header.fingerprint)
        if format in ("c", "aseprite"):
            return _header_text(path) if format == "c" else _sprite_text(path)
        is_video = OUTPUT_FORMATS[format].family in (EXACT_VIDEO, PREVIEW_VIDEO)
        return _video(path) if is_video else _image(path)
    except (OSError, ValueError, struct.error, SyntaxError, Image.DecompressionBombError, StreamVQError):
        return None


def _video(path: Path) -> str | None:
    import av

    with av.open(url(path)) as container:
        tags = {name.casefold(): value for name, value in container.metadata.items()}
    return tags.get(_MATROSKA_KEY.casefold()) or tags.get(_OTHER_KEY)


def _header_text(path: Path) -> str | None:
    with path.open(encoding="ascii", errors="replace") as file:
        start = file.read(4096)
    match = re.search(rf"^{re.escape(C_REMARK)}(.*) \*/$", start, re.MULTILINE)
    return match[1] if match else None


def _sprite_text(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES + FRAME_HEADER_BYTES)
        size = struct.unpack_from("<I", start, HEADER_BYTES)[0]  # of the first frame
        chunks, _, _ = read_frame(start + file.read(max(0, size - FRAME_HEADER_BYTES)), HEADER_BYTES)
    return next((read_string(body, 4)[0] for chunk_type, body in chunks if chunk_type == USER_DATA), None)


def _image(path: Path) -> str | None:
    with Image.open(path) as image:
        found = image.info.get(_PNG_KEY) or image.info.get("comment") or image.getexif().get(_DESCRIPTION)
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def _text(value: Any) -> str:
    if isinstance(value, range):
        return f"{value.start}:{value.stop}" + (f":{value.step}" if value.step != 1 else "")
    return f"{value:.12g}" if isinstance(value, float) else str(value)
