"""Help that reads well and comes at once, and versions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from streamvq.errors import bytes_text

COMMANDS = ["compress", "fit", "apply", "decompress", "compare", "report", "sweep", "spectrum", "info"]


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
from streamvq.cli.app import app
heavy = {{"numpy", "av", "cv2", "sklearn", "numba", "joblib", "PIL", "tqdm", "rich"}}
for arguments in {[[], *([command] for command in COMMANDS)]!r}:
    try:
        app([*arguments, "--help"])
    except SystemExit as end:
        assert not end.code
    found = sorted(heavy & set(sys.modules))
    assert not found, (arguments, found)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Usage") == 1 + len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_and_grouped_options(command: str, good: Callable) -> None:
    text = good(command, "--help").stdout
    assert f"  streamvq {command} " in text.partition("Examples:")[2]
    assert re.search(r"^Arguments?:", text, re.MULTILINE)
    assert "Running and reporting:" in text
    for option in ("--json", "--debug"):
        assert option in text
    assert good(command, "-h").stdout == text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_names_options_that_exist(command: str, good: Callable) -> None:
    options, _, examples = good(command, "--help").stdout.partition("Examples:")
    calls = re.findall(rf"streamvq {command} ([^|\n]*)", examples)
    assert calls
    for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", " ".join(calls)):
        assert re.search(rf"(^|[\s,]){option}\b", options), option


def test_the_commands_are_listed(good: Callable) -> None:
    text = good("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"^\s+{command}\s", text, re.MULTILINE)


def test_version(good: Callable) -> None:
    assert re.fullmatch(r"streamvq \d+\.\d+\.\d+\S*\n", good("--version").stdout)
    text = good("--version", "-v").stdout
    for part in ("numpy", "scikit-learn", "av", "FFmpeg", "encoder ffv1: found", "encoder libx264"):
        assert part in text


def test_no_command_at_all_shows_help(cli: Callable) -> None:
    result = cli()
    assert "compress" in result.stdout + result.stderr


def test_an_unknown_option_is_a_usage_error(cli: Callable) -> None:
    result = cli("compress", "in.png", "-o", "out.png", "--no-such-option")
    assert result.exit_code == 2
    assert "--no-such-option" in result.stderr


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "unknown size"), (0, "0 bytes"), (999, "999 bytes"), (1234, "1.23 kB"), (999_949, "1000 kB")],
)
def test_sizes_for_people(count: int | None, text: str) -> None:
    assert bytes_text(count) == text


def test_shell_completion() -> None:
    command = "import sys; from streamvq.__main__ import main; sys.argv[0] = 'streamvq'; main()"
    environment = os.environ | {"_STREAMVQ_COMPLETE": "source_bash"}  # as a shell asks
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, check=True)
    assert b"_STREAMVQ_COMPLETE=complete_bash" in done.stdout
