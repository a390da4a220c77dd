"""The field's words, not ours: private words that stood here once do not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXTS = sorted(
    path
    for folder in ("streamvq", "tests", "scripts")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".md", ".js", ".j2", ".css") and path.name != Path(__file__).name
)
# a private word, and the standard term for it
WORDS = {
    r"fore(tell|tells|told)": "predict, predicted",
    r"ballots?|elected": "vote_table, top_candidates",
    r"alike": "equal",
    r"log_?odds": "logit",
    r"narrow_counter|wide_counter|learn_narrow|stretch_narrow": "12-bit and 22-bit adaptive probability",
    r"find_vectors": "estimate_motion",
    r"index_frame|laid|laid_error|keep_neighbors": "quantize_frame, render_blocks, block_sse, rd_optimize",
    r"survey|surveyed": "inspect",
    r"wholeness|announced_size": "truncation",
    r"\.left_alone": "ignored_files",
    r"Tally|fit_codebook|OutputSettings|RunSettings|FitSettings|LowRankSettings": "options.py, StatsAccumulator, fit",
    r"load_or_reason": "try_load",
    r"[A-Z_]+_(MOST|LEAST)": "MAX_..., MIN_...",
    r"(codebook|segments|plus_plus)_beside": "..._path_for, ..._with_fixed",
    r"(stats|book)\.figures|def figures": "result_fields",
    r"errors import .*\bshown": "shortened",
    r"Packing\.of|Context\.of|Options\.of": "from_options",
    r"kind: bytes": "chunk_type",
}


@pytest.mark.parametrize("word", WORDS)
def test_no_private_words(word: str) -> None:
    pattern = re.compile(rf"(?<![A-Za-z])(?:{word})(?![A-Za-z])")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]} (say: {WORDS[word]})"
        for path in TEXTS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)
