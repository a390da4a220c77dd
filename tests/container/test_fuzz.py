"""A little of what scripts/fuzz.py does for hours, and the same with hypothesis, which shrinks what it finds."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from containers import assert_same, joined, outcome, pieces, small_file, with_changed_payloads
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvq.container.chunks import ChunkReader, Truncated
from streamvq.container.frame_table import is_safe
from streamvq.container.header import Header
from streamvq.errors import CodebookError, MediaError

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz.py"
DATA, FRAMES = small_file()
PARTS = pieces(DATA)


@pytest.fixture(autouse=True)
def _no_large_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamvq.container.frame_table.MAX_PIXELS", 1 << 18)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_at_random(script: ModuleType, seed: int) -> None:
    count, failed = script.fuzz(seed, seconds=60, max_files=300)
    assert failed is None, f"file {count} of seed {seed}"
    assert count == 300


def test_the_same_seed_does_the_same(script: ModuleType) -> None:
    (original, *_) = script.originals()
    files = [[script.changed(original, script.random.Random(seed)) for seed in range(20)] for _ in range(2)]
    assert files[0] == files[1]
    assert len({data for data, _ in files[0]}) > 15


def test_the_script_says_its_seed_and_keeps_what_fails(script: ModuleType, tmp_path: Path) -> None:
    command = [sys.executable, SCRIPT, "--seconds", "0.3", "--seed", "5"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "seed 5" in done.stdout
    assert list(tmp_path.iterdir()) == []
    broken = f"""
import sys
import streamvq.container.reader as reader
reader.decode_group = lambda *_: 1 / 0
sys.argv = ["fuzz.py", "--seed", "5", "--seconds", "20"]
sys.path.insert(0, {str(SCRIPT.parent)!r})
import fuzz
check = fuzz.check
fuzz.check = lambda *a: None if a[0] == a[1].data else check(*a)
fuzz.main()
"""
    done = subprocess.run([sys.executable, "-c", broken], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "seed 5" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    (kept,) = tmp_path.glob("fuzz-5-*.svq")
    assert kept.stat().st_size


@settings(max_examples=150)
@given(st.data())
def test_changed_payloads_with_good_checksums(data: st.DataObject) -> None:
    """Read, with frames that can be, or refused by an error that names the file."""
    result = outcome(with_changed_payloads(PARTS, data))
    if isinstance(result, str):
        return
    for frame in result[0]:
        assert frame.codes.max() < 16
        assert frame.alpha is None or frame.alpha.shape == (frame.height, frame.width)
        assert frame.name is None or is_safe(frame.name)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from([chunk_type for chunk_type, _ in PARTS]), st.binary(max_size=60)), max_size=6)
)
def test_chunks_of_anything(parts: list[tuple[bytes, bytes]]) -> None:
    for front in (0, 1, 2, 3):
        result = outcome(joined([*PARTS[:front], *parts]))
        if not isinstance(result, str):
            assert result[1] or parts[-1][0] == b"FEND" or b"FEND" in dict(parts)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_headers_of_anything(data: bytes) -> None:
    try:
        Header.from_json(data)
    except (ValueError, CodebookError):
        return
    pytest.fail("a header of noise")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(st.sampled_from(["codes", "space", "block", "fingerprint", "fps", "frames", "width", "audio_streams"]), JSON)
def test_headers_with_any_value(name: str, value: object) -> None:
    """Refused with a ValueError, or with the types that are promised."""
    record = json.loads(PARTS[0][1]) | {name: value}
    try:
        header = Header.from_json(json.dumps(record).encode())
    except (ValueError, CodebookError):
        return
    assert 1 <= header.n_codes <= 65536
    assert all(type(side) is int and side >= 1 for side in header.block)
    assert isinstance(header.space, str)
    assert isinstance(header.fingerprint, str)


@settings(max_examples=100)
@given(st.binary(max_size=300), st.integers(0, 12))
def test_chunk_reading_of_anything(data: bytes, kept: int) -> None:
    noise = DATA[:kept] + data
    try:
        reader = ChunkReader(io.BytesIO(noise), "x.svq")
        while True:
            assert reader.read_known().end <= len(noise)
    except (MediaError, Truncated):
        return


def test_the_starting_point_is_good() -> None:
    result = outcome(joined(PARTS))
    assert not isinstance(result, str)
    assert_same(result[0], FRAMES)
    assert all(np.asarray(frame.codes).max() < 16 for frame in FRAMES)
