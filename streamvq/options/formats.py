"""The formats of outputs, each once: what it is called, what it can hold, and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

from streamvq.options.values import ALPHAS

COMPRESSED, EXACT_VIDEO, ANIMATION, PREVIEW_VIDEO = "compressed", "exact video", "animation", "preview video"
IMAGE, INDICES, PIPED = "image", "indices", "piped video"
_FLAT = ("flatten",)


@dataclass(frozen=True)
class OutputFormat:
    """A format of outputs, by its `name`, and its `family`.

    `suffixes` are those that mean it, of which the first is written; without any it is a dot and the name. `alphas`
    says what it can make of transparency, the default first. `palette` says how it holds up to 256 codes as indices:
    "" (not at all), "opaque", or "clear" where an entry of the palette may be transparent.
    """

    name: str
    family: str
    alphas: tuple[str, ...] = ALPHAS
    suffixes: tuple[str, ...] = ()
    palette: str = ""
    moving: str | None = None  # an image's format as an animation
    codecs: tuple[str, ...] = ()  # that hold video exactly
    max_crf: int | None = None  # of a preview
    packs_bits: bool = False
    is_piped: bool = False  # whether standard output may carry it
    has_times: bool = True
    has_text: bool = True  # whether it says how it was made
    is_lossy: bool = False

    @property
    def suffix(self) -> str:
        """What names of files end in, such as ".png"."""
        return self.suffixes[0] if self.suffixes else f".{self.name}"

    @property
    def is_clip(self) -> bool:
        """Whether it holds any number of pictures in one file, also where the input is images."""
        return self.family in (COMPRESSED, EXACT_VIDEO, PREVIEW_VIDEO, ANIMATION)


# fmt: off
_TABLE = (
    OutputFormat("svq", COMPRESSED, palette="clear", is_piped=True),
    OutputFormat("mkv", EXACT_VIDEO, codecs=("ffv1", "x264")),
    OutputFormat("avi", EXACT_VIDEO, codecs=("ffv1",)),
    OutputFormat("mp4", PREVIEW_VIDEO, _FLAT, codecs=("x264",), max_crf=51, is_lossy=True),
    OutputFormat("mov", PREVIEW_VIDEO, _FLAT, codecs=("x264",), max_crf=51, is_lossy=True),
    OutputFormat("webm", PREVIEW_VIDEO, _FLAT, max_crf=63, is_lossy=True),
    OutputFormat("gif", ANIMATION, ("binary", "flatten"), palette="clear"),
    OutputFormat("apng", ANIMATION, palette="clear"),
    OutputFormat("png", IMAGE, palette="clear", moving="apng"),
    OutputFormat("webp", IMAGE, moving="webp"),
    OutputFormat("tiff", IMAGE, suffixes=(".tiff", ".tif"), palette="opaque"),
    OutputFormat("bmp", IMAGE, ("flatten", "binary"), palette="opaque", has_text=False),
    OutputFormat("jpg", IMAGE, _FLAT, suffixes=(".jpg", ".jpeg"), is_lossy=True),
    OutputFormat("raw", INDICES, packs_bits=True, is_piped=True, has_times=False, has_text=False),
    OutputFormat("npy", INDICES, has_times=False, has_text=False),
    OutputFormat("c", INDICES, suffixes=(".h",), packs_bits=True, has_times=False),
    OutputFormat("aseprite", INDICES, suffixes=(".aseprite", ".ase")),
    OutputFormat("y4m", PIPED, _FLAT, is_piped=True, is_lossy=True),
)
# fmt: on
OUTPUT_FORMATS = {each.name: each for each in _TABLE}
FORMATS = tuple(each.name for each in _TABLE if each.family != PIPED)  # of files
CODECS = {  # of exact video, and the formats that hold them
    codec: tuple(each.name for each in _TABLE if codec in each.codecs) for codec in ("ffv1", "x264")
}


def _suffixes(family: str) -> str:
    """The suffixes of all formats of a family, such as ".gif .apng .webp"."""
    found = [each for each in _TABLE if each.family == family]
    found += [each for each in _TABLE if each.moving == each.name and family == ANIMATION]
    return " ".join(each.suffix for each in found)


_FAMILIES = (COMPRESSED, EXACT_VIDEO, ANIMATION, PREVIEW_VIDEO, IMAGE, INDICES)  # in the order of help
_LISTED = ", ".join(f"{family} ({_suffixes(family)})" for family in _FAMILIES)
OUTPUT_KINDS = f"{_LISTED[0].upper()}{_LISTED[1:]}, folder of images (no suffix), or - (y4m)."
