"""Usage errors are one line, and name the option or command of ours for what other tools call otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from streamvq.cli import usage
from streamvq.cli.app import app


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("compress in.png --quality 80", "--lossy"),
        ("compress -i in.png", "inputs stand without an option"),
        ("compress in.png --speed 3", "-j"),
        ("compress in.png --ext .png", "-o"),
        ("compress in.mp4 --height 640", "--width"),
        ("compress in.mp4 --frames 0:9", "--trim"),
        ("compress in.mp4 -y", "--overwrite"),
        ("compress in.mp4 --colrs 8", "--colors?"),
        ("compress", "INPUT"),
        ("compress in.mp4 -k", "requires an argument"),
        ("compress in.mp4 -k many", "--colors"),
        ("fit in.mp4", "--output"),
        ("in.mp4 -o out.mkv", "streamvq compress in.mp4 -o out.mkv"),
        ("in.svq", "streamvq decompress in.svq"),
        ("quantize in.mp4", "compress?"),
        ("decompres in.svq", "decompress?"),
        ("compress in.mp4 out.mkv", "-o out.mkv"),
    ],
)
def test_one_line_says_what_is_meant(refused: Callable, words: str, ours: str) -> None:
    assert ours in refused(*words.split(), exit=2)


def test_a_file_that_reads_as_an_option(refused: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("--k.png").touch()
    line = refused("compress", "--k.png", "a.png", "-o", "out", exit=2)
    assert " -- " in line
    assert "./*.png" in line


def test_options_of_other_tools_are_none_of_ours() -> None:
    import typer

    commands = typer.main.get_command(app).commands
    every = [set().union(*(each.opts for each in command.params)) for command in commands.values()]
    ours_everywhere = set.intersection(*every)
    assert not ours_everywhere & set(usage._OPTIONS)
    assert not set(typer.main.get_command(app).commands) & {
        word for words in usage._COMMANDS.values() for word in words
    }
