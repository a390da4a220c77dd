"""Palettes of devices, shipped as files: `preset:gameboy`."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import resources
from typing import NamedTuple

from streamvq.errors import CodebookError
from streamvq.media.palette_files.palette import Palette
from streamvq.media.palette_files.text_formats import read_gpl

PREFIX = "preset:"
_FOLDER = resources.files("streamvq.media.palette_files") / "presets"


class Preset(NamedTuple):
    """A palette with its name, its title, and where its colors come from."""

    name: str
    title: str
    source: str
    palette: Palette


def preset_names() -> list[str]:
    """The names of all presets, sorted."""
    return sorted(entry.name.removesuffix(".gpl") for entry in _FOLDER.iterdir() if entry.name.endswith(".gpl"))


def load_preset(name: str) -> Preset:
    """A preset by its name, with or without "preset:". Raises CodebookError."""
    plain = name.removeprefix(PREFIX).lower()
    names = preset_names()
    if plain not in names:
        near = get_close_matches(plain, names, n=1) or names
        raise CodebookError(f"{PREFIX}{plain}: no such preset; there is {', '.join(near)}")
    data = (_FOLDER / f"{plain}.gpl").read_bytes()
    lines = data.decode().splitlines()
    title = next(line for line in lines if line.startswith("Name: ")).removeprefix("Name: ")
    source = next(line for line in lines if line.startswith("# ")).removeprefix("# ")
    return Preset(plain, title, source, read_gpl(data))
