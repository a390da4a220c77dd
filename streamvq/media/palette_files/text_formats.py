"""Palettes that are text: GIMP's .gpl, .hex (Lospec), JASC's .pal, and paint.net's .txt."""

from __future__ import annotations

import re

from streamvq.media.palette_files.palette import Palette, palette_of

GPL_MAGIC, JASC_MAGIC = "GIMP Palette", "JASC-PAL"
_HEX_LINE = re.compile(r"#?([0-9A-Fa-f]{6})\s*")
_ARGB_LINE = re.compile(r"([0-9A-Fa-f]{8})\s*")


def text_of(data: bytes) -> str:
    """The text of a palette file. Raises ValueError where it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_gpl(data: bytes) -> Palette:
    """GIMP's palette: a header, then lines of R, G, B (with "Channels: RGBA", as of Aseprite, alpha) and a name."""
    lines = text_of(data).splitlines()
    if not lines or not lines[0].startswith(GPL_MAGIC):
        raise ValueError(f"its first line is not {GPL_MAGIC!r}")
    values = 3
    colors, names = [], []
    for number, line in enumerate(lines[1:], 2):
        text = line.strip()
        if text.lower().startswith("channels:"):
            values = 4 if "rgba" in text.lower() else 3
        if not text or text.startswith("#") or re.match(r"[A-Za-z]+:", text):
            continue
        parts = text.split(None, values)
        try:
            colors.append([int(part) for part in parts[:values]])
        except ValueError:
            raise ValueError(f"line {number}: {line[:40]!r} is no color") from None
        if len(colors[-1]) < values:
            raise ValueError(f"line {number}: {line[:40]!r} has fewer than {values} numbers")
        names.append(parts[values] if len(parts) > values else "")
    return palette_of(colors, ["" if name in ("Untitled", "") else name for name in names])


def write_gpl(palette: Palette, title: str) -> bytes:
    """See `read_gpl`; "Channels: RGBA" only where there is alpha, since GIMP itself does not know it."""
    has_alpha = (palette.colors[:, 3] < 255).any()
    lines = [GPL_MAGIC, *(["Channels: RGBA"] if has_alpha else []), f"Name: {title}", "Columns: 16", "#"]
    for index, color in enumerate(palette.colors):
        numbers = " ".join(f"{value:3d}" for value in color[: 4 if has_alpha else 3])
        lines.append(f"{numbers}\t{palette.name(index) or 'Untitled'}")
    return ("\n".join(lines) + "\n").encode()


def read_hex(data: bytes) -> Palette:
    """A color a line, RRGGBB (Lospec)."""
    colors = []
    for number, line in enumerate(text_of(data).splitlines(), 1):
        if not line.strip() or line.startswith(";"):
            continue
        found = _HEX_LINE.fullmatch(line.strip())
        if not found:
            raise ValueError(f"line {number}: {line[:40]!r} is not RRGGBB")
        colors.append(list(bytes.fromhex(found[1])))
    return palette_of(colors)


def write_hex(palette: Palette, title: str) -> bytes:
    """See `read_hex`."""
    return "".join(f"{bytes(color[:3]).hex()}\n" for color in palette.colors).encode()


def read_jasc(data: bytes) -> Palette:
    """Paint Shop Pro's text palette: JASC-PAL, 0100, the number of colors, and R G B (and alpha) a line."""
    lines = [line.strip() for line in text_of(data).splitlines()]
    if len(lines) < 3 or lines[0] != JASC_MAGIC or not lines[2].isdecimal():
        raise ValueError(f"it does not begin with {JASC_MAGIC!r}, a version, and a count")
    rows = [line.split() for line in lines[3:] if line]
    if len(rows) != int(lines[2]):
        raise ValueError(f"it announces {lines[2]} colors and has {len(rows)}")
    try:
        colors = [[int(value) for value in row] for row in rows]
    except ValueError:
        raise ValueError("a line has other than numbers") from None
    if {len(color) for color in colors} - {3, 4}:
        raise ValueError("a line has other than 3 or 4 numbers")
    return palette_of([[*color, 255][:4] for color in colors])


def write_jasc(palette: Palette, title: str) -> bytes:
    """See `read_jasc`; lines end as in Windows, where it comes from."""
    values = 4 if (palette.colors[:, 3] < 255).any() else 3
    lines = [JASC_MAGIC, "0100", str(len(palette)), *(" ".join(map(str, color[:values])) for color in palette.colors)]
    return ("\r\n".join(lines) + "\r\n").encode()


def read_paint_net(data: bytes) -> Palette:
    """paint.net's palette: AARRGGBB a line, and comments after a semicolon."""
    colors = []
    for number, line in enumerate(text_of(data).splitlines(), 1):
        text = line.split(";")[0].strip()
        if not text:
            continue
        found = _ARGB_LINE.fullmatch(text)
        if not found:
            raise ValueError(f"line {number}: {line[:40]!r} is not AARRGGBB")
        alpha, *color = bytes.fromhex(found[1])
        colors.append([*color, alpha])
    return palette_of(colors)


def write_paint_net(palette: Palette, title: str) -> bytes:
    """See `read_paint_net`."""
    lines = ["; paint.net Palette File", f"; {title}"]
    lines += [f"{color[3]:02X}{bytes(color[:3]).hex().upper()}" for color in palette.colors]
    return ("\n".join(lines) + "\n").encode()
