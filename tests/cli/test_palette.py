"""`streamvq palette`: converts, shows, lists, and refuses in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pictures import SAMPLES


def test_convert_and_show(good: Callable, tmp_path: Path) -> None:
    said = good("palette", "preset:c64", "-o", tmp_path / "c64.ase").stdout
    assert "16 colors" in said
    shown = good("palette", tmp_path / "c64.ase").stdout.splitlines()
    assert (len(shown), shown[2].split()) == (16, ["2", "#68372b", "red"])
    record = json.loads(good("palette", tmp_path / "c64.ase", "--json").stdout)
    assert record["colors"][1] == {"index": 1, "hex": "#ffffff", "alpha": 255, "name": "white", "reserved": False}


def test_what_a_format_cannot_hold_is_said(good: Callable, tmp_path: Path) -> None:
    assert "no names" in good("palette", "preset:c64", "-o", tmp_path / "a.hex").stderr
    assert good("palette", "preset:c64", "-o", tmp_path / "a.hex", "-fq").stderr == ""


def test_the_list_names_sources(good: Callable) -> None:
    text = good("palette", "--list").stdout
    assert "preset:gameboy" in text
    assert "Pimoroni" in text


def test_bad_input(refused: Callable, tmp_path: Path) -> None:
    assert "--list" in refused("palette", exit=2)
    assert "no such palette" in refused("palette", tmp_path / "none.gpl")
    assert ".gpl" in refused("palette", "#fff", "-o", tmp_path / "a.jpg", exit=2)
    (tmp_path / "a.gpl").write_text("mine", "utf-8")
    assert "--overwrite" in refused("palette", "#fff", "-o", tmp_path / "a.gpl")
    assert (tmp_path / "a.gpl").read_text("utf-8") == "mine"


def test_a_folder_of_sprites_goes_through_an_artists_palette(good: Callable, tmp_path: Path) -> None:
    (tmp_path / "mine.hex").write_text("000000\nffffff\nff0000\n00ff00\n", "utf-8")
    good("compress", SAMPLES / "photos" / "sprite.png", "-c", tmp_path / "mine.hex", "-o", tmp_path / "out.png")
    shown = good("palette", tmp_path / "out.png").stdout.split()
    assert shown[1::2][:4] == ["#000000", "#ffffff", "#ff0000", "#00ff00"]
