"""What a `.svq` file declares before its frames: JSON in the HEAD chunk (FORMAT.md, section 3)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from streamvq.container.pictures import pictures_of
from streamvq.errors import OutputError
from streamvq.frames import MAX_CHAPTERS, MAX_MS, MAX_TEXT, Chapter, StreamInfo
from streamvq.lowrank.codec import LowRankCodec
from streamvq.options import CODE_SPACES, CODERS, MATCHINGS, MAX_BLOCK_SIDE, MAX_CODES, MAX_PATCH
from streamvq.quantize.blocks import code_length
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder

MAX_SIDE = 65535  # pixels
MAX_AUDIO_STREAMS = 255
_MAX_TERM = 2**31 - 1  # of fractions, as in FFmpeg
_MAX_COUNT = 2**62


@dataclass(frozen=True)
class Header:
    """The stream's facts, and which codebook its indices are rows of, or how its factors were made.

    `info.frame_count` is what the writer expected, a hint. `block` is height and width in pixels. `fingerprint`
    names the codebook by its content; a file that holds the codebook itself need not say it. `matching` is where
    pixels were compared with its codes (see `Codebook`), `alpha` that of the codes, one byte each, None where all are
    opaque. Files of factors have no codes, no block, no fingerprint and no matching; in them `patch` is the side of
    the patches in pixels, 0 for whole frames, in others None. `settings` are those of the writer that were not the
    default, such as "lossy=8"; they change nothing for readers. `coder` is what codes indices: one of `CODERS`.
    """

    info: StreamInfo
    space: str
    n_codes: int = 0
    block: tuple[int, int] = (1, 1)
    fingerprint: str = ""
    patch: int | None = None
    settings: tuple[str, ...] = ()
    matching: str | None = None
    alpha: bytes | None = None
    coder: str = CODERS[0]

    @classmethod
    def from_stream(cls, info: StreamInfo, decoder: FrameDecoder, coder: str = CODERS[0]) -> Header:
        """The header of a stream whose frames `decoder` renders.

        Raises OutputError for fractions that the format cannot hold.
        """
        if info.time_base is None and info.fps is not None:
            info = replace(info, time_base=1 / info.fps)
        for value in (info.fps, info.time_base, info.pixel_aspect):
            if value is not None and max(value.numerator, value.denominator) > _MAX_TERM:
                raise OutputError(f"{value}: .svq holds fractions with terms up to {_MAX_TERM}; round it")
        return cls(info, coder=coder, **pictures_of(decoder).header_fields)

    def to_json(self, embeds_codebook: bool = False) -> bytes:
        """UTF-8 JSON without what goes without saying; the same header gives the same bytes."""
        info = self.info
        record = {
            "width": info.width,
            "height": info.height,
            "frames": info.frame_count,
            "fps": _text(info.fps),
            "time_base": _text(info.time_base),
            "pixel_aspect": _text(info.pixel_aspect),
            "audio_streams": info.audio_streams,
            "title": info.title,
            "chapters": [[each.start_ms, each.end_ms, each.title] for each in info.chapters] or None,
            "codes": self.n_codes or None,
            "space": self.space if self.space != "rgb" else None,
            "block": list(self.block) if self.block != (1, 1) else None,
            "fingerprint": self.fingerprint if not embeds_codebook else None,
            "alpha": None if self.alpha is None else self.alpha.rstrip(b"\xff").hex(),
            "patch": self.patch,
            "settings": list(self.settings) or None,
            "coder": self.coder if self.coder != CODERS[0] else None,
            "matching": None if self.matching == "rgb" else self.matching,
        }
        return json.dumps({k: v for k, v in record.items() if v not in (None, "")}, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Header:
        """Parse and check. Raises ValueError with what is wrong."""
        try:
            record: dict[str, Any] = json.loads(data)
            factors = "patch" in record
            block = record.get("block", (1, 1))
            header = cls(
                StreamInfo(
                    _count(record, "width", MAX_SIDE),
                    _count(record, "height", MAX_SIDE),
                    _fraction(record, "fps"),
                    _count(record, "frames", _MAX_COUNT),
                    _fraction(record, "time_base"),
                    _fraction(record, "pixel_aspect"),
                    _count(record, "audio_streams", MAX_AUDIO_STREAMS) or 0,
                    _title(record.get("title")),
                    _chapters(record.get("chapters", [])),
                ),
                str(record.get("space", "rgb")),
                _count(record, "codes", MAX_CODES) or 0,
                (_block_side(block[0]), _block_side(block[1])),
                str(record.get("fingerprint", "")),
                _count(record, "patch", MAX_PATCH),
                tuple(str(setting) for setting in record.get("settings", ())),
                None if factors else str(record.get("matching", "rgb")),
                None if factors or "alpha" not in record else _alpha(record["alpha"], record["codes"]),
                str(record.get("coder", CODERS[0])),
            )
        except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"it lacks or garbles {error}") from error
        if header.space not in CODE_SPACES or (header.info.width is None) != (header.info.height is None):
            raise ValueError("its space is unknown, or it lacks one of width and height")
        if header.coder not in CODERS:
            raise ValueError("its coder is unknown to this streamvq: upgrade it")
        if factors and header.patch in (None, 1):
            raise ValueError("the side of its patches is invalid")
        if not factors:
            code_length(header.block, header.space)
            if header.alpha is not None and (header.space, header.block) != ("rgb", (1, 1)):
                raise ValueError("codes of its kind have no alpha")
            if header.matching not in (MATCHINGS if header.block == (1, 1) else MATCHINGS[:1]):
                raise ValueError("its matching is unknown")
            if not header.n_codes or not re.fullmatch("|[0-9a-f]{64}", header.fingerprint):
                raise ValueError("it lacks the number of codes, or its fingerprint is invalid")
        return header

    @property
    def low_rank(self) -> LowRankCodec | None:
        """What renders the frames of a file of factors; None where frames are indices."""
        return None if self.patch is None else LowRankCodec(self.space, self.patch)

    @property
    def part(self) -> str:
        """What the pictures are stored as: "indices" or "factors"."""
        return "indices" if self.patch is None else "factors"

    def matches(self, codebook: Codebook) -> bool:
        """Whether the file's indices are rows of `codebook`."""
        return codebook.fingerprint == self.fingerprint


def _alpha(value: Any, n_codes: int) -> bytes:
    if not isinstance(value, str) or not re.fullmatch("([0-9a-f]{2})+", value) or len(value) > 2 * n_codes:
        raise ValueError("the alpha of its codes is not two digits each")
    return bytes.fromhex(value).ljust(n_codes, b"\xff")


def _text(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


def _fraction(record: dict[str, Any], name: str) -> Fraction | None:
    if (value := record.get(name)) is None:
        return None
    numerator, slash, denominator = str(value).partition("/")
    terms = [int(term) if term.isdecimal() and len(term) < 20 else 0 for term in (numerator, denominator)]
    if not slash or not 0 < terms[0] <= _MAX_TERM or not 0 < terms[1] <= _MAX_TERM:
        raise ValueError(f"{name} is not a positive fraction")
    return Fraction(*terms)


def _title(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= MAX_TEXT):
        raise ValueError(f"a title is not a text of 1 to {MAX_TEXT} letters")
    return value


def _chapters(value: Any) -> tuple[Chapter, ...]:
    if not isinstance(value, list) or len(value) > MAX_CHAPTERS:
        raise ValueError(f"its chapters are no list of at most {MAX_CHAPTERS}")
    chapters = tuple(Chapter(start, end, _title(title)) for start, end, title in value)
    for each in chapters:
        if type(each.start_ms) is not int or type(each.end_ms) is not int:
            raise ValueError("the times of a chapter are no numbers")
        if not 0 <= each.start_ms < each.end_ms <= MAX_MS:
            raise ValueError("a chapter ends before it starts")
    return chapters


def _count(record: dict[str, Any], name: str, maximum: int) -> int | None:
    value = record.get(name)
    if value is not None and (type(value) is not int or not 0 <= value <= maximum):
        raise ValueError(f"{name} is not a number from 0 to {maximum}")
    return value


def _block_side(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MAX_BLOCK_SIDE:
        raise ValueError(f"a block's side is not 1 to {MAX_BLOCK_SIDE}")
    return value
