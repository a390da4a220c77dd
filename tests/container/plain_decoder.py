"""A slow decoder of `.svq` files, written from `FORMAT.md` alone: it shares no line with the package."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise
from typing import Any
from zlib import crc32

Rows = list[list[int]]
H = 0x9E3779B97F4A7C15
KNOTS = (
    *(32768, 40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374),
    *(65438, 65476, 65500, 65514, 65523, 65528, 65531, 65533, 65534, 65535, 65535, 65536),
)


@dataclass
class PlainFrame:
    index: int
    width: int
    height: int
    time: Fraction | None = None
    duration: Fraction | None = None
    name: str | None = None
    codes: Rows = field(default_factory=list)
    alpha: Rows | None = None
    pixels: list[list[tuple[int, ...]]] = field(default_factory=list)


@dataclass
class PlainFile:
    header: dict[str, Any]
    codebook: Rows
    frames: list[PlainFrame]
    audio: bytes


class Numbers:
    """Section 1: what stands in a payload, read from its start."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self) -> int:
        value = self.number()
        return -(value + 1) // 2 if value & 1 else value // 2


class RangeDecoder:
    """Section 7."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.span = 2**64 - 1
        self.low = self.word() << 32
        self.low += self.word()

    def word(self) -> int:
        self.at += 4
        return int.from_bytes(self.data[self.at - 4 : self.at].ljust(4, b"\0"), "big")

    def bit(self, chance: int) -> int:
        bound = (self.span >> 16) * chance
        bit = int(self.low >= bound)
        if bit:
            self.low -= bound
            self.span -= bound
        else:
            self.span = bound
        if self.span < 2**32:
            self.span <<= 32
            self.low = (self.low << 32) + self.word()
        return bit


def clip(value: int, least: int, greatest: int) -> int:
    return max(least, min(value, greatest))


def read_codebook(data: bytes, space: str, height: int, width: int, count: int) -> Rows:
    """Section 4: the codes, each a list of its samples."""
    coder = RangeDecoder(data)
    chances: dict[tuple[int, int], list[int]] = defaultdict(lambda: [32768, 0])

    def bit(kind: int, context: int) -> int:
        chance = chances[kind, context]
        result = coder.bit(chance[0])
        chance[0] += ((64 if result else 65472) - chance[0]) >> (1 + chance[1])
        chance[1] = min(chance[1] + 1, 6)
        return result

    def miss(plane: int, activity: int) -> int:
        context = 9 * (8 * plane + min(activity.bit_length(), 7))
        length = 0
        while length < 8 and bit(0, context + length):
            length += 1
        if length == 0:
            return 0
        negative = bit(1, context)
        size = 1
        for p in range(length - 2, -1, -1):
            size = 2 * size + bit(2, 9 * (9 * plane + length) + (p if p == length - 2 else 8))
        return -size if negative else size

    # Every sample in the order of the file: plane, place in the code, row and column in the plane, width of the plane.
    pixels = [(y, x) for y in range(height) for x in range(width)]
    if space == "ycbcr420":
        order = [(0, y * width + x, y, x) for y, x in pixels]
        for plane in (1, 2):
            order += [(plane, len(order) + i, *divmod(i, width // 2)) for i in range(height * width // 4)]
    elif space == "gray":
        order = [(0, y * width + x, y, x) for y, x in pixels]
    elif height * width == 1:
        order = [(1, 0, 0, 0), (2, 2, 0, 0), (0, 1, 0, 0)]
    else:
        planes = ((0, 1), (1, 0), (2, 2))
        order = [(plane, 3 * (y * width + x) + color, y, x) for y, x in pixels for plane, color in planes]
    at = {(plane, y, x): place for plane, place, y, x in order}

    codes: Rows = []
    before, misses_before = [128] * len(order), [0] * len(order)
    for _ in range(count):
        code, misses = [0] * len(order), [0] * len(order)
        last_miss, green_excess = 0, 0
        for plane, place, y, x in order:
            activity = misses_before[place] + last_miss
            if y == 0 and x == 0:
                guess = before[place]
            else:
                a, b = code[at[plane, y, max(x - 1, 0)]], code[at[plane, max(y - 1, 0), x]]
                c = code[at[plane, max(y - 1, 0), max(x - 1, 0)]]
                a, b, c = (a, a, a) if y == 0 else (b, b, b) if x == 0 else (a, b, c)
                guess = max(min(a, b), min(max(a, b), a + b - c))
                activity += abs(a - c) + abs(b - c)
            if space == "rgb" and len(order) == 3:
                if plane == 2:
                    guess = clip(before[2] + code[0] - before[0], 0, 255)
                elif plane == 0:
                    shift = (299 * (before[0] - code[0]) + 114 * (before[2] - code[2])) // 587
                    guess = clip(before[1] + shift, 0, 255)
            elif space == "rgb" and plane > 0:
                guess = clip(guess + green_excess, 0, 255)
            found = miss(plane, activity)
            code[place] = guess + found
            misses[place] = last_miss = abs(found)
            if plane == 0:
                green_excess = found
        codes.append(code)
        before, misses_before = code, misses
    return codes


def rows_by_number(codes: Rows) -> list[int]:
    """Section 8.1: the row that each number stands for."""

    def ordered(rows: list[int]) -> list[int]:
        if len(rows) <= 1:
            return rows

        def spread(place: int) -> int:
            samples = [codes[row][place] for row in rows]
            return len(rows) * sum(sample * sample for sample in samples) - sum(samples) ** 2

        place = max(range(len(codes[0])), key=spread)  # the first of the greatest
        rows = sorted(rows, key=lambda row: codes[row][place])
        half = 1 << ((len(rows) - 1).bit_length() - 1)
        return ordered(rows[:half]) + ordered(rows[half:])

    return ordered(list(range(len(codes)))) if len(codes) > 256 else list(range(len(codes)))


def squash(x: int) -> int:
    x = clip(x, -2816, 2815)
    knot, part = divmod(abs(x), 128)
    value = (KNOTS[knot] * (128 - part) + KNOTS[knot + 1] * part + 64) >> 7
    return clip(65536 - value if x < 0 else value, 1, 65535)


SQUASHED = [squash(x) for x in range(-2816, 2816)]
STRETCHED = [min(bisect_left(SQUASHED, 16 * q + 8) - 2816, 2815) for q in range(4096)]


class Counter:
    """Section 8.2: a wide counter (of 22 bits) or a narrow one (of 12)."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.chance = 0
        self.seen = 0

    def stretch(self) -> int:
        return STRETCHED[(self.chance >> (self.bits - 12)) + 2048]

    def learn(self, bit: int) -> None:
        narrow = self.bits == 12
        half = 1 << (self.bits - 1)
        rate = 3276 if narrow and self.seen == 15 else 655360 // (10 * self.seen + 16)
        distance = (-half if bit else half - 1) - self.chance
        self.chance += (distance * rate + (32768 if narrow else 0)) >> 16
        self.seen = min(self.seen + 1, 15 if narrow else 255)


def margins(row: list[int]) -> list[int]:
    return [row[0]] * 2 + row + [row[-1]] * 2


class IndexDecoder:
    """Section 8: the planes of a group, of `count` codes and with the given rows and columns."""

    def __init__(self, data: bytes, count: int, sizes: list[tuple[int, int]]) -> None:
        self.coder = RangeDecoder(data)
        self.greatest = count - 1
        self.bits = (count - 1).bit_length()
        size = clip((sum(rows * columns for rows, columns in sizes) - 1).bit_length(), 10, 18)
        self.place_bits = min(size, 17)
        self.line_bits = min(size, 16) if count <= 256 else size
        self.wide: dict[Any, Counter] = defaultdict(lambda: Counter(22))
        self.narrow: dict[Any, Counter] = defaultdict(lambda: Counter(12))
        self.weights: dict[Any, list[int]] = {}
        self.planes: list[Rows] = []
        for rows, columns in sizes:
            self.planes.append(self.plane(rows, columns))

    def alone(self, counter: int) -> int:
        chosen = self.wide[counter]
        bit = self.coder.bit(clip((chosen.chance + 2**21) >> 6, 64, 65472))
        chosen.learn(bit)
        return bit

    def mixed(self, counters: list[Counter], context: Any, start: int) -> int:
        weights = self.weights.setdefault(context, [start] * len(counters))
        inputs = [counter.stretch() for counter in counters]
        chance = squash(sum(weight * x for weight, x in zip(weights, inputs, strict=True)) >> 16)
        bit = self.coder.bit(chance)
        error = 65536 * (1 - bit) - chance
        for i, x in enumerate(inputs):
            weights[i] += (x * error + 2**14) >> 15
        for counter in {id(counter): counter for counter in counters}.values():
            counter.learn(bit)
        return bit

    def foretell(self, old: Rows) -> tuple[Rows, set[tuple[int, int]]]:
        """Section 8.3: the foretold frame, and which tiles are copies of it."""
        vectors = [(0, 0)]
        while len(vectors) < 8 and self.alone(len(vectors) - 1):
            both = 0
            for number in range(31, -1, -1):
                both = 2 * both + self.alone(8 + number)
            vectors.append((both // 65536 - 32768, both % 65536 - 32768))
        rows, columns = len(old), len(old[0])
        chosen: dict[tuple[int, int], int] = defaultdict(int)
        copies: set[tuple[int, int]] = set()
        for y in range((rows + 15) // 16):
            for x in range((columns + 15) // 16):
                j = 0
                while j < len(vectors) - 1:
                    if self.alone(40 + 4 * j + 2 * (chosen[y - 1, x] == j) + (chosen[y, x - 1] == j)):
                        break
                    j += 1
                chosen[y, x] = j
                if self.alone(68 + 4 * (j != 0) + 2 * ((y - 1, x) in copies) + ((y, x - 1) in copies)):
                    copies.add((y, x))

        def code(y: int, x: int) -> int:
            dy, dx = vectors[chosen[y // 16, x // 16]]
            return old[clip(y + dy, 0, rows - 1)][clip(x + dx, 0, columns - 1)]

        return [[code(y, x) for x in range(columns)] for y in range(rows)], copies

    def plane(self, rows: int, columns: int) -> Rows:
        """Section 8.4."""
        known = 0  # planes of this size just before
        while known < min(2, len(self.planes)) and self.same_size(self.planes[-1 - known], rows, columns):
            known += 1
        foretold, copies = self.foretell(self.planes[-1]) if known else ([], set())
        shown = [margins(row) for row in foretold]
        lines = [[0] * (columns + 4), shown[0] if known else [0] * (columns + 4)]
        for y in range(rows):
            above, up = lines[-2:]
            row = [up[2]] * 2
            for x in range(2, columns + 2):
                if (y // 16, (x - 2) // 16) in copies:
                    row.append(shown[y][x])
                    continue
                if known:
                    here, over, under = shown[y], shown[max(y - 1, 0)], shown[min(y + 1, rows - 1)]
                    around = [here[x], here[x - 1], over[x], over[x + 1], here[x + 1], under[x]]
                    last = self.planes[-2][y][x - 2] if known == 2 else here[x]
                else:
                    around = [up[x + 1], row[x - 2], above[x + 1], above[x + 2], up[x + 2], up[x - 1]]
                    last = above[x]
                row.append(self.code(row[x - 1], up[x], up[x - 1], up[x + 1], around, last))
            lines.append(margins(row[2:]))
        return [line[2:-2] for line in lines[2:]]

    @staticmethod
    def same_size(plane: Rows, rows: int, columns: int) -> bool:
        return (len(plane), len(plane[0])) == (rows, columns)

    def code(self, left: int, up: int, corner: int, right: int, around: list[int], last: int) -> int:
        same, before, above, above_right, after, below = around
        pairs = [(up, left), (corner, left), (same, left), (before, left), (last, left), (up, corner), (up, right)]
        pairs += [(same, up), (above, up), (above_right, right), (after, same), (below, same), (last, same)]
        pairs.append((last, up))
        pattern = sum((one == other) << number for number, (one, other) in enumerate(pairs))
        place = hashed((left << 32) + (up << 16) + same, self.place_bits)
        guesses = [same, left, up]
        for g, guess in enumerate(guesses):
            if guess in guesses[:g]:
                continue
            counters = [self.wide["guess", pattern, g], self.narrow["guess", place, g]]
            if self.mixed(counters, ("guess", pattern & 511, g), 40000):
                return guess
        return self.tree(left, up, same)

    def tree(self, left: int, up: int, same: int) -> int:
        drop = self.bits - 6 if self.bits > 8 else 0
        neighbors = [left, up, same, ((left >> drop) << 16) + (up >> drop)]
        value, node, lines = 1, 1, [0] * 4
        for number in range(self.bits - 1, -1, -1):
            if number == self.bits - 1 or number % 4 == 3:
                lines = [
                    hashed((neighbor << 18) + 4 * value + n, self.line_bits) for n, neighbor in enumerate(neighbors)
                ]
                node = 1
            bit = self.mixed([self.narrow["tree", line, node] for line in lines], ("tree", number), 22000)
            node, value = 2 * node + bit, 2 * value + bit
        return min(value - (1 << self.bits), self.greatest)


def hashed(value: int, bits: int) -> int:
    return (value * H % 2**64) >> (64 - bits)


def block(space: str, height: int, width: int, code: list[int]) -> list[list[tuple[int, ...]]]:
    """Section 3: the pixels that a code stands for."""

    def pixel(y: int, x: int) -> tuple[int, ...]:
        i = y * width + x
        if space == "gray":
            return (code[i],)
        if space == "rgb":
            return tuple(code[3 * i : 3 * i + 3])
        area, chroma = height * width, y // 2 * (width // 2) + x // 2
        luma, b, r = 65536 * code[i], code[area + chroma] - 128, code[area + area // 4 + chroma] - 128
        colors = (luma + 91881 * r, luma - 22554 * b - 46802 * r, luma + 116130 * b)
        return tuple(clip((color + 32768) >> 16, 0, 255) for color in colors)

    return [[pixel(y, x) for x in range(width)] for y in range(height)]


def read_group(payload: bytes, header: dict[str, Any], codes: Rows) -> list[PlainFrame]:
    """Section 5."""
    numbers = Numbers(payload)
    first, count = numbers.number(), numbers.number()
    tick = Fraction(header["time_base"]) if "time_base" in header else None
    width, height = header.get("width", 0), header.get("height", 0)
    time, duration, frames, clear = 0, 0, [], []
    for index in range(first, first + count):
        flags = numbers.take(1)[0]
        if flags & 1:
            width, height = numbers.number(), numbers.number()
        time += duration + (numbers.signed() if flags & 2 else 0)
        duration = numbers.number() if flags & 4 else duration
        time = 0 if flags & 32 else time
        frame = PlainFrame(index, width, height)
        if tick is not None:
            frame.time = None if flags & 32 else time * tick
            frame.duration = duration * tick if duration else None
        if flags & 8:
            frame.name = numbers.take(numbers.number()).decode()
        if flags & 16:
            clear.append(frame)
        frames.append(frame)
    if clear:
        alpha = numbers.take(numbers.number())
        planes = IndexDecoder(alpha, 256, [(frame.height, frame.width) for frame in clear]).planes
        for frame, frame.alpha in zip(clear, planes, strict=True):
            pass
    h, w = header["block"]
    sizes = [(-(-frame.height // h), -(-frame.width // w)) for frame in frames]
    planes = IndexDecoder(payload[numbers.at :], len(codes), sizes).planes
    rows = rows_by_number(codes)
    shown = [block(header["space"], h, w, code) for code in codes]
    for frame, plane in zip(frames, planes, strict=True):
        frame.codes = [[rows[number] for number in line] for line in plane]
        for y in range(frame.height):
            line = [shown[frame.codes[y // h][x // w]][y % h][x % w] for x in range(frame.width)]
            frame.pixels.append(line)
    return frames


def decode(data: bytes, external: Rows | None = None) -> PlainFile:
    """All that is in a file (sections 2, 3, 6 and 9); `external` are the codes of one without its codebook."""
    assert data[:12] == b"\x89SVQ\r\n\x1a\n\1\0\0\0"
    chunks, at = [], 12
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "little")
        assert crc32(data[at:end]) == int.from_bytes(data[end : end + 4], "little")
        chunks.append((at, data[at + 4 : at + 8].decode(), data[at + 8 : end]))
        at = end + 4
    header = json.loads(chunks[0][2])
    (height, width), space, count = header["block"], header["space"], header["codes"]
    codes, frames, audio, groups = external or [], [], b"", [(0, 0)]
    for start, kind, payload in chunks:
        if kind == "BOOK":
            codes = read_codebook(payload, space, height, width, count)
        elif kind == "GRUP":
            new = read_group(payload, header, codes)
            frames += new
            groups.append((start, len(new)))
        elif kind == "AUDI":
            audio += payload
        elif kind == "INDX":
            numbers = Numbers(payload)
            for (before, _), (group, held) in pairwise(groups) if numbers.number() == len(groups) - 1 else ():
                assert (numbers.number(), numbers.number()) == (group - before, held)
            assert numbers.at == len(payload)
    assert [kind for _, kind, _ in chunks[-2:]] == ["INDX", "FEND"]
    assert int.from_bytes(chunks[-1][2], "little") == chunks[-2][0]
    assert [frame.index for frame in frames] == list(range(len(frames)))
    parts = ["streamvq codebook", space, [height, width], [count, len(codes[0])]]
    fingerprint = sha256(json.dumps(parts).encode() + b"\n" + b"".join(map(bytes, codes)))
    assert fingerprint.hexdigest() == header["fingerprint"]
    return PlainFile(header, codes, frames, audio)
