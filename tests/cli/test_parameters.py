"""Typer parameters from option classes: one entry is a flag, its help, its default, its completion and its value."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import typer
from typer.testing import CliRunner

from streamvq.cli.command import Command
from streamvq.cli.messages import in_flags
from streamvq.cli.parameters import JsonOption, block_sides, frame_range, with_options
from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options import LOW_RANK, READ, WRITE, Block


class Fruit(Options):
    """Options that no command has."""

    plums: int = option(READ, "-p --plums", "How many plums.", 0, 9, default=3)
    kind: str | None = option(WRITE, "--kind", "What kind.", default=None, choices=("ripe", "green"))
    sides: Block = option(LOW_RANK, "--sides", "How large.", default=1)
    years: Sequence[int] = option(LOW_RANK, "--years", "Which years.", default=(1, 2))
    mixed: Sequence[str] = option(LOW_RANK, "--with", "With what. Repeatable.", default=())
    peel: bool = option(READ, "--peel", "Without skin.", default=False)


def made(*words: str) -> tuple[int, str, list[Fruit]]:
    """Exit code, output and options of a command line."""
    found: list[Fruit] = []

    @with_options(peel="Naked.")
    def eat(options: Fruit, printing: JsonOption) -> None:
        found.append(options)

    app = typer.Typer(rich_markup_mode=None)
    app.command(cls=Command)(eat)
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout + result.stderr, found


def test_an_options_class_is_a_command() -> None:
    assert made() == (0, "", [Fruit(sides=(1, 1), years=[1, 2])])
    words = [
        "-p",
        "4",
        "--kind",
        "ripe",
        "--sides",
        "8x4",
        "--years",
        "7,8",
        "--peel",
        "--with",
        "a,b",
        "--with",
        "c",
    ]
    mixed = ("a,b", "c")
    assert made(*words)[2] == [Fruit(plums=4, kind="ripe", sides=(4, 8), years=[7, 8], mixed=mixed, peel=True)]


def test_its_help() -> None:
    _, text, _ = made("--help")
    for part in ("-p, --plums <int>", "How many plums.  [default: 3]", "[default: 1,2]", "Naked.", "--debug"):
        assert part in text
    assert text.index("Output:") < text.index("Low rank:") < text.index("Input:") < text.index("Running")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--plums", "10"], "plums 10: choose 0 to 9"),
        (["--kind", "blue"], "kind blue: choose one of ripe, green"),
        (["--years", "x"], "--years x: give numbers"),
    ],
)
def test_its_checks(words: list[str], message: str) -> None:
    code, text, found = made(*words)
    assert (code, found) == (2, [])
    assert message in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x: use `overwrite`, `skip_existing`", "x: use --overwrite, --skip-existing"),
        ("`overwrite=True`", "--overwrite"),
        ("give `codebook=PATH`", "give -c PATH"),
        ("`rank=32` or `energy=0.99`", "--rank 32 or --energy 0.99"),
        ("`jobs=-1`: choose 0 or more", "--jobs -1: choose 0 or more"),
        ("`n_codes` and `bits`", "--colors and --bits"),
        ("name it with `output`", "name it with -o"),
        ("a`b.png: no image", "a`b.png: no image"),
    ],
)
def test_keywords_in_messages_become_options(text: str, expected: str) -> None:
    assert in_flags(text) == expected


def test_values_that_are_typed_as_text() -> None:
    assert block_sides("4") == (4, 4)
    assert block_sides("8x2") == (2, 8)
    assert frame_range("3") == range(3, 4)
    assert frame_range("2:9:3") == range(2, 9, 3)
    for text in ("x", "5:5", "-3", "1:9:0"):
        with pytest.raises(UsageError, match=f"--frames {text}"):
            frame_range(text)
