"""What a file holds, told by its first bytes; by its suffix only where they say nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from streamvq.container.chunks import SIGNATURE
from streamvq.container.sketch_head import SKETCH_SIGNATURE

HEAD_BYTES = 4096


@dataclass(frozen=True)
class ImageKind:
    """A kind of image files: its name, Pillow's names for it, its suffixes, and how its files begin (None: anyhow).

    `several` says that its files may hold several pictures: an animation, or pages.
    """

    name: str
    formats: tuple[str, ...]
    suffixes: tuple[str, ...]
    start: bytes | None
    several: bool = False


IMAGE_KINDS = (
    ImageKind("PNG", ("PNG",), (".png", ".apng"), rb"\x89PNG\r\n\x1a\n", several=True),
    ImageKind("JPEG", ("JPEG",), (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), rb"\xff\xd8\xff"),
    ImageKind("WebP", ("WEBP",), (".webp",), rb"RIFF.{4}WEBP", several=True),
    ImageKind("GIF", ("GIF",), (".gif",), rb"GIF8[79]a", several=True),
    ImageKind(
        "AVIF", ("AVIF",), (".avif", ".avifs"), rb".{4}ftyp(avi[fs]|m(if1|iaf|sf1).{4,60}avi[fs])", several=True
    ),
    ImageKind("TIFF", ("TIFF",), (".tif", ".tiff"), rb"II[*+]\0|MM\0[*+]", several=True),
    ImageKind("BMP", ("BMP", "DIB"), (".bmp", ".dib"), rb"BM.{4}\0{4}"),
    ImageKind(
        "JPEG 2000",
        ("JPEG2000",),
        (".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jpc"),
        rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
    ),
    ImageKind("TGA", ("TGA",), (".tga", ".icb", ".vda", ".vst"), None),
    ImageKind("PNM", ("PPM",), (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"), rb"P[1-6Ff]\s"),
    ImageKind("PCX", ("PCX",), (".pcx",), None),
    ImageKind("DCX", ("DCX",), (".dcx",), rb"\xb1\x68\xde\x3a", several=True),
    ImageKind("PSD", ("PSD",), (".psd",), rb"8BPS\0\x01"),
    ImageKind("DDS", ("DDS",), (".dds",), rb"DDS "),
    ImageKind("ICO", ("ICO",), (".ico",), rb"\0\0\x01\0"),
    ImageKind("CUR", ("CUR",), (".cur",), None),
    ImageKind("ICNS", ("ICNS",), (".icns",), rb"icns"),
    ImageKind("Aseprite", ("ASEPRITE",), (".aseprite",), rb".{4}\xe0\xa5", several=True),
    ImageKind("QOI", ("QOI",), (".qoi",), rb"qoif"),
    ImageKind("SGI", ("SGI",), (".sgi", ".rgb", ".rgba", ".bw"), rb"\x01\xda[\0\x01][\x01\x02]"),
    ImageKind("Sun raster", ("SUN",), (".ras",), rb"\x59\xa6\x6a\x95"),
)
IMAGE_SUFFIXES = frozenset(suffix for kind in IMAGE_KINDS for suffix in kind.suffixes)

# Pictures that no library here reads exactly: their name, their suffixes, how they begin, and what to do.
_TONE_MAP = "its light is floating-point; tone-map it to 8 or 16 bits first"
_FOREIGN = (
    ("JPEG XL", (".jxl",), rb"\xff\x0a|\0\0\0\x0cJXL ", "convert it first: djxl in.jxl out.png"),
    (
        "HEIC",
        (".heic", ".heif", ".hif"),
        rb".{4}ftyp(hei[cxms]|hev[cxms]|mif1|miaf|msf1)",
        "convert it first: heif-convert in.heic out.png",
    ),
    (
        "SVG, a drawing",
        (".svg", ".svgz"),
        rb"(\xef\xbb\xbf)?\s*<(?=[?!s])(.*<)?svg[\s>]",
        "render it first: rsvg-convert -o out.png in.svg",
    ),
    ("PDF", (".pdf",), rb"%PDF-", "render its pages first: pdftoppm -png in.pdf page"),
    (
        "PostScript, a drawing",
        (".eps", ".ps"),
        rb"%!PS|\xc5\xd0\xd3\xc6",
        "render it first: gs -sDEVICE=png16m -o out.png in.eps",
    ),
    ("OpenEXR", (".exr",), rb"\x76\x2f\x31\x01", _TONE_MAP),
    ("Radiance HDR", (".hdr",), rb"#\?R", _TONE_MAP),
    (
        "a camera's raw data",
        (".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw", ".3fr", ".iiq"),
        rb".{4}ftypcrx |FUJIFILMCCD-RAW|IIR[OS]|IIU\0",
        "develop it first: darktable-cli in.dng out.tif",
    ),
)
_RAW = len(_FOREIGN) - 1
_VIDEO_STARTS = (
    ("MP4", rb".{4}(ftyp|moov|mdat|wide|free|skip)"),
    ("Matroska", rb"\x1a\x45\xdf\xa3"),
    ("AVI", rb"RIFF.{4}AVI "),
    ("Ogg", rb"OggS"),
    ("FLV", rb"FLV\x01"),
    ("MPEG", rb"\0\0\x01[\xb3\xba]|\x47.{187}\x47"),
    ("ASF", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
)
_Y4M_START = b"YUV4MPEG2"


@dataclass(frozen=True)
class Content:
    """What a file holds: an image, of a kind; a video, y4m, .svq or a sketch; or, foreign, a picture that cannot be
    read.

    `name` is what messages call it, `advice` what to do with a foreign one.
    """

    source: Literal["image", "video", "y4m", "svq", "sketch", "foreign"]
    name: str
    image: ImageKind | None = None
    advice: str = ""


def content_of(path: Path) -> Content:
    """What a file holds; by its suffix where it cannot be read, or begins like nothing known."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        head = b""
    suffix = path.suffix.lower()
    found = _by_start(head)
    if suffix in _FOREIGN[_RAW][1] and (found is None or found.name == "TIFF"):
        return _foreign(_RAW)
    return found or _by_suffix(suffix)


def _by_start(head: bytes) -> Content | None:
    if head.startswith(SIGNATURE):
        return Content("svq", "a .svq file")
    if head.startswith(SKETCH_SIGNATURE):
        return Content("sketch", "a sketch")
    if head.startswith(_Y4M_START):
        return Content("y4m", "y4m video")
    for kind in IMAGE_KINDS:
        if kind.start is not None and re.match(kind.start, head, re.DOTALL):
            return Content("image", kind.name, kind)
    for number, (_, _, start, _) in enumerate(_FOREIGN):
        if re.match(start, head, re.DOTALL):
            return _foreign(number)
    for name, start in _VIDEO_STARTS:
        if re.match(start, head, re.DOTALL):
            return Content("video", f"{name} video")
    return None


def _by_suffix(suffix: str) -> Content:
    if suffix in (".svq", ".y4m"):
        return Content("svq" if suffix == ".svq" else "y4m", suffix)
    for kind in IMAGE_KINDS:
        if suffix in kind.suffixes:
            return Content("image", kind.name, kind)
    for number, (_, suffixes, _, _) in enumerate(_FOREIGN):
        if suffix in suffixes:
            return _foreign(number)
    return Content("video", "video")


def _foreign(number: int) -> Content:
    name, _, _, advice = _FOREIGN[number]
    return Content("foreign", name, advice=advice)
