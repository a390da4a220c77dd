"""Settings in the order in which `max_size` and `min_psnr` prefer them, and the search along them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from streamvq.errors import codes_text
from streamvq.options import MAX_GRAY_LEVELS, MAX_SAMPLES, OUTPUT_FORMATS, CompressOptions
from streamvq.pipeline.reserved_options import fixed_codes

_LOSSY = (2, 4, 6, 8, 10, 12, 14, 17, 20)  # more is seen at once
_FEWEST_COLORS, _FEWEST_BLOCKS = 16, 256  # before `lossy` is raised
_MOST_COLORS, _MOST_BLOCKS = 4096, 16384
_MIN_WIDTH = 16
_EACH_COUNT_UP_TO = 256  # beyond, numbers of codes go by 1/32


@dataclass(frozen=True)
class Setting:
    """What a search moves; `n_codes` is None where nothing is learned."""

    n_codes: int | None
    lossy: float
    width: int | None

    def applied(self, options: CompressOptions) -> CompressOptions:
        """Options with this setting in them."""
        if self.n_codes is not None:
            options = replace(options, n_codes=self.n_codes, bits=None)
        return replace(options, lossy=self.lossy, width=self.width)

    def text(self, block: tuple[int, int]) -> str:
        """The setting for people."""
        parts = [] if self.n_codes is None else [codes_text(self.n_codes, block)]
        parts += [f"`lossy={self.lossy:g}`"] * bool(self.lossy) + [f"`width={self.width}`"] * bool(self.width)
        return ", ".join(parts) or "all as it is"


def moves_colors(options: CompressOptions) -> bool:
    """Whether the number of codes is left to the search; a codebook, and what is emitted for it, fix it."""
    given = options.n_codes is not None or options.bits is not None or options.codebook is not None
    return not (given or options.emit_palette is not None or options.stores_factors)


def searches_colors(options: CompressOptions) -> bool:
    """Whether the number of codes is searched: only checking `min_psnr` is left where it is given."""
    return (options.max_bytes is not None or options.min_psnr is not None) and moves_colors(options)


def size_ladder(options: CompressOptions, width: int | None) -> list[Setting]:
    """Settings from the best on, for pictures of so many pixels a row (None: of several sizes, which stay).

    First the number of codes falls, then `lossy` rises, then the width falls; what the options give stays.
    """
    counts: Sequence[int | None] = [None]
    if not options.stores_factors and options.codebook is None:
        counts = [options.code_count]
    if moves_colors(options):
        pixels = options.sides == (1, 1)
        low = max(_FEWEST_COLORS if pixels else _FEWEST_BLOCKS, _fixed(options))
        counts = list(_counts(min(low, options.code_count), options.code_count))[::-1]
    found = [Setting(count, options.lossy, options.width) for count in counts]
    if not (options.lossy or options.dither != "none" or options.own_palettes or options.stores_factors):
        found += [replace(found[-1], lossy=lossy) for lossy in _LOSSY]
    if options.width is None and width is not None and options.min_psnr is None:  # PSNR is that of scaled pictures
        last, least = found[-1], max(_MIN_WIDTH, width // 8)
        while (width := (width * 15 // 16) & ~1) >= least:
            found.append(replace(last, width=width))
    return found


def psnr_ladder(options: CompressOptions, formats: Iterable[str]) -> list[Setting]:
    """Settings with more and more codes, as many as all outputs hold in their palettes, or else many."""
    most = _MOST_COLORS if options.sides == (1, 1) else _MOST_BLOCKS
    if options.own_palettes or any(OUTPUT_FORMATS[each].palette and each != "svq" for each in formats):
        most = 256 if options.sides == (1, 1) else most
    if options.is_gray and options.sides == (1, 1):
        most = MAX_GRAY_LEVELS
    if options.pack_bits:
        most = min(most, 2**options.pack_bits)
    most = min(most, MAX_SAMPLES // (options.sides[0] * options.sides[1] * (1 if options.is_gray else 3)))
    low = min(most, max(2, _fixed(options)))
    return [Setting(count, options.lossy, options.width) for count in _counts(low, most)]


def ends(ladder: Sequence[Setting]) -> list[int]:
    """The last places at which the number of codes, `lossy` and the width are moved."""
    last = len(ladder) - 1
    return [at for at in range(len(ladder)) if at == last or _moved(ladder, at) != _moved(ladder, at + 1)]


def _moved(ladder: Sequence[Setting], at: int) -> str:
    """What sets a setting apart from the one before."""
    here, before = ladder[at], ladder[max(0, at - 1)]
    return "width" if here.width != before.width else "lossy" if here.lossy != before.lossy else "codes"


def _fixed(options: CompressOptions) -> int:
    fixed = fixed_codes(options)
    return 0 if fixed is None else len(fixed)


def _counts(low: int, high: int) -> Iterator[int]:
    count = low
    while count < high:
        yield count
        count += 1 if count < _EACH_COUNT_UP_TO else count // 32
    yield high


def places(ladder: Sequence[Setting]) -> list[float]:
    """Where settings stand so that margins rise evenly along them: codes and widths by their logarithms."""
    steps = (
        abs(math.log((here.n_codes or 1) / (before.n_codes or 1)))
        + abs(here.lossy - before.lossy)
        + abs(math.log((here.width or 1) / (before.width or here.width or 1)))
        for before, here in pairwise(ladder)
    )
    return [0.0, *accumulate(steps)]


def first_reached(
    margin: Callable[[int], float],
    known: Mapping[int, float],
    low: int,
    high: int,
    ends: Sequence[int],
    places: Sequence[float],
    close: float,
) -> int:
    """The first index between `low` and `high` with a margin of 0 or more; `high` where there is none.

    Margins rise along the `places` of the indices, about evenly between two `ends`. Those of `known` indices need not
    be found. One that is at most `close` is taken for the first. The Illinois variant of regula falsi (Dowell and
    Jarratt 1971).
    """
    low_margin = known.get(low)
    for index in sorted(known):
        if low <= index < high and known[index] < 0:
            low, low_margin = index, known[index]
    reached = [index for index in known if low < index < high and known[index] >= 0]
    bound, bound_margin = (min(reached), known[min(reached)]) if reached else (high, None)
    if low_margin is None and low + 1 < bound:
        if (first := margin(low + 1)) >= 0:
            return low + 1
        low, low_margin = low + 1, first
    if bound_margin is None:
        for end in (each for each in ends if low < each < high):
            if (found := margin(end)) >= 0:
                bound, bound_margin = end, found
                break
            low, low_margin = end, found
    if bound_margin is None:
        return high
    left, right = (-1.0 if low_margin is None else low_margin), bound_margin  # as interpolation takes them
    last_reached: bool | None = None
    while bound - low > 1 and bound_margin > close:
        start = places[max(low, 0)]
        place = start + (places[bound] - start) * -left / (right - left or 1)
        index = min(max(low + 1, bisect_left(places, place)), bound - 1)
        found = margin(index)
        if found >= 0:
            left = left / 2 if last_reached else left
            bound, bound_margin, right, last_reached = index, found, found, True
        else:
            right = right / 2 if last_reached is False else right
            low, left, last_reached = index, found, False
    return bound
