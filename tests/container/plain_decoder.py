"""A slow decoder of `.svq` files, written from `FORMAT.md` alone: it shares no line with the package."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from typing import Any
from zlib import crc32

Rows = list[list[int]]
H = 0x9E3779B97F4A7C15
KNOTS = [32768, 40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374]
KNOTS += [65438, 65476, 65500, 65514, 65523, 65528, 65531, 65533, 65534, 65535, 65535, 65536]


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
    """Section 1: what stands in a payload, from its start."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        byte = self.take(1)[0]
        return byte if byte < 128 else byte - 128 + 128 * self.number()

    def signed(self) -> int:
        value = self.number()
        return -(value + 1) // 2 if value % 2 else value // 2


class RangeDecoder:
    """Section 7."""

    def __init__(self, data: bytes) -> None:
        self.words = Numbers(data)
        self.span, self.low = 2**64 - 1, 0
        for _ in range(2):
            self.low = (self.low << 32) + self.word()

    def word(self) -> int:
        return int.from_bytes(self.words.take(4).ljust(4, b"\0"), "big")

    def bit(self, chance: int) -> int:
        bound = (self.span >> 16) * chance
        bit = int(self.low >= bound)
        self.low, self.span = (self.low - bound, self.span - bound) if bit else (self.low, bound)
        if self.span < 2**32:
            self.low, self.span = (self.low << 32) + self.word(), self.span << 32
        return bit


def clip(value: int, least: int, greatest: int) -> int:
    return max(least, min(value, greatest))


class MissDecoder:
    """Section 4: how far the samples of a codebook are from what was predicted."""

    def __init__(self, data: bytes) -> None:
        self.decoder = RangeDecoder(data)
        self.chances: dict[tuple[int, int], list[int]] = defaultdict(lambda: [32768, 0])

    def bit(self, kind: int, context: int) -> int:
        chance, seen = self.chances[kind, context]
        bit = self.decoder.bit(chance)
        self.chances[kind, context] = [chance + (((64 if bit else 65472) - chance) >> (1 + seen)), min(seen + 1, 6)]
        return bit

    def miss(self, plane: int, activity: int) -> int:
        context, length = 9 * (8 * plane + min(activity.bit_length(), 7)), 0
        while length < 8 and self.bit(0, context + length):
            length += 1
        if length == 0:
            return 0
        sign, size = -1 if self.bit(1, context) else 1, 1
        for p in range(length - 2, -1, -1):
            size = 2 * size + self.bit(2, 9 * (9 * plane + length) + (p if p == length - 2 else 8))
        return sign * size


def read_codebook(data: bytes, space: str, height: int, width: int, count: int) -> Rows:
    """Section 4: the codes, each a list of its samples. A spot is a sample's plane, row and column."""
    planes = [(height, width), (height // 2, width // 2), (height // 2, width // 2)][: 1 if space == "gray" else 3]
    stored = order = [
        (p, y, x) for p, (rows, columns) in enumerate(planes) for y in range(rows) for x in range(columns)
    ]
    if space == "rgb":
        pixels = [(y, x) for y in range(height) for x in range(width)]
        stored = [(p, y, x) for y, x in pixels for p in (1, 0, 2)]
        order = [(p, y, x) for y, x in pixels for p in ((1, 2, 0) if len(pixels) == 1 else (0, 1, 2))]
    decoder, codes = MissDecoder(data), []
    code, sizes = dict.fromkeys(order, 128), dict.fromkeys(order, 0)
    for _ in range(count):
        before, sizes_before, code, sizes, size, green_miss = code, sizes, {}, {}, 0, 0
        for spot in order:
            plane, y, x = spot
            if y > 0 and x > 0:
                a, b, c = code[plane, y, x - 1], code[plane, y - 1, x], code[plane, y - 1, x - 1]
            elif y > 0 or x > 0:
                a = b = c = code[plane, y, x - 1] if x > 0 else code[plane, y - 1, x]
            else:
                a = b = c = before[spot]
            guess = max(min(a, b), min(max(a, b), a + b - c))
            if space == "rgb" and len(order) > 3 and plane > 0:
                guess += green_miss
            elif space == "rgb" and len(order) == 3:
                old_red, old_blue = before[1, 0, 0], before[2, 0, 0]
                if plane == 2:
                    guess = old_blue + code[1, 0, 0] - old_red
                elif plane == 0:
                    guess += (299 * (old_red - code[1, 0, 0]) + 114 * (old_blue - code[2, 0, 0])) // 587
            guess = clip(guess, 0, 255)
            miss = decoder.miss(plane, sizes_before[spot] + size + abs(a - c) + abs(b - c))
            code[spot] = guess + miss
            sizes[spot] = size = abs(miss)
            green_miss = miss if plane == 0 else green_miss
        codes.append([code[spot] for spot in stored])
    return codes


def rows_by_number(codes: Rows, rows: list[int]) -> list[int]:
    """Section 8.1: the row that each number stands for."""
    if len(rows) == 1:
        return rows
    samples = [[codes[row][place] for row in rows] for place in range(len(codes[0]))]
    spreads = [len(rows) * sum(sample * sample for sample in line) - sum(line) ** 2 for line in samples]
    place = spreads.index(max(spreads))
    rows = sorted(rows, key=lambda row: codes[row][place])
    half = 1 << ((len(rows) - 1).bit_length() - 1)
    return rows_by_number(codes, rows[:half]) + rows_by_number(codes, rows[half:])


def squash(x: int) -> int:
    x = clip(x, -2816, 2815)
    value = (KNOTS[abs(x) // 128] * (128 - abs(x) % 128) + KNOTS[abs(x) // 128 + 1] * (abs(x) % 128) + 64) >> 7
    return clip(65536 - value if x < 0 else value, 1, 65535)


STRETCHED = [min(bisect_left(range(-2816, 2816), 16 * q + 8, key=squash) - 2816, 2815) for q in range(4096)]


class Counter:
    """Section 8.2: a wide counter, of 22 bits, or a narrow one, of 12."""

    def __init__(self, bits: int) -> None:
        self.bits, self.chance, self.seen = bits, 0, 0

    def stretch(self) -> int:
        return STRETCHED[(self.chance >> (self.bits - 12)) + 2048]

    def learn(self, bit: int) -> None:
        most, r = (15, 32768) if self.bits == 12 else (255, 0)
        rate = 3276 if self.seen == 15 and self.bits == 12 else 655360 // (10 * self.seen + 16)
        end = -(1 << (self.bits - 1)) if bit else (1 << (self.bits - 1)) - 1
        self.chance += ((end - self.chance) * rate + r) >> 16
        self.seen = min(self.seen + 1, most)


def hashed(value: int, bits: int) -> int:
    return (value * H % 2**64) >> (64 - bits)


def margins(row: list[int]) -> list[int]:
    return [row[0]] * 2 + row + [row[-1]] * 2


class IndexDecoder:
    """Section 8: the planes of a group, each of so many rows and columns of codes below `count`."""

    def __init__(self, data: bytes, count: int, sizes: list[tuple[int, int]]) -> None:
        self.decoder, self.greatest, self.bits = RangeDecoder(data), count - 1, (count - 1).bit_length()
        s = clip((sum(rows * columns for rows, columns in sizes) - 1).bit_length(), 10, 18)
        self.place_bits, self.line_bits = min(s, 17), min(s, 16) if count <= 256 else s
        self.wide: dict[Any, Counter] = defaultdict(lambda: Counter(22))
        self.narrow: dict[Any, Counter] = defaultdict(lambda: Counter(12))
        self.weights: dict[Any, list[int]] = {}
        self.planes: list[Rows] = []
        past: list[Rows] = []  # up to two planes just before that have the same size, the latest first
        for rows, columns in sizes:
            if past and (len(past[0]), len(past[0][0])) != (rows, columns):
                past = []
            past = [self.plane(rows, columns, past), *past[:1]]
            self.planes.append(past[0])

    def alone(self, number: int) -> int:
        counter = self.wide[number]
        bit = self.decoder.bit(clip((counter.chance + 2**21) >> 6, 64, 65472))
        counter.learn(bit)
        return bit

    def mixed(self, counters: list[Counter], context: Any, start: int) -> int:
        weights = self.weights.setdefault(context, [start] * len(counters))
        inputs = [counter.stretch() for counter in counters]
        chance = squash(sum(weight * x for weight, x in zip(weights, inputs, strict=True)) >> 16)
        bit = self.decoder.bit(chance)
        for i, x in enumerate(inputs):
            weights[i] += (x * (65536 * (1 - bit) - chance) + 2**14) >> 15
        for counter in {id(counter): counter for counter in counters}.values():
            counter.learn(bit)
        return bit

    def foretell(self, old: Rows) -> tuple[Rows, set[tuple[int, int]]]:
        """Section 8.3: the foretold plane, and which tiles are copies of it."""
        vectors = [(0, 0)]
        while len(vectors) < 8 and self.alone(len(vectors) - 1):
            both = 0
            for number in range(31, -1, -1):
                both = 2 * both + self.alone(8 + number)
            vectors.append((both // 65536 - 32768, both % 65536 - 32768))
        chosen: dict[tuple[int, int], int] = defaultdict(int)
        copies: set[tuple[int, int]] = set()
        for y, x in [(y, x) for y in range((len(old) + 15) // 16) for x in range((len(old[0]) + 15) // 16)]:
            for j in range(len(vectors)):
                chosen[y, x] = j
                beside = 2 * (chosen[y - 1, x] == j) + (chosen[y, x - 1] == j)
                if j < len(vectors) - 1 and self.alone(40 + 4 * j + beside):
                    break
            if self.alone(68 + 4 * (chosen[y, x] > 0) + 2 * ((y - 1, x) in copies) + ((y, x - 1) in copies)):
                copies.add((y, x))

        def code(y: int, x: int) -> int:
            dy, dx = vectors[chosen[y // 16, x // 16]]
            return old[clip(y + dy, 0, len(old) - 1)][clip(x + dx, 0, len(old[0]) - 1)]

        return [[code(y, x) for x in range(len(old[0]))] for y in range(len(old))], copies

    def plane(self, rows: int, columns: int, past: list[Rows]) -> Rows:
        """Section 8.4; x counts from the left margin."""
        foretold, copies = self.foretell(past[0]) if past else ([[0] * columns], set())
        shown = [margins(row) for row in foretold]
        lines = [[0] * (columns + 4), shown[0]]
        for y in range(rows):
            above, up = lines[-2:]
            row = [up[2]] * 2
            for x in range(2, columns + 2):
                if past:
                    here, over, under = shown[y], shown[max(y - 1, 0)], shown[min(y + 1, rows - 1)]
                    last = past[1][y][x - 2] if len(past) == 2 else here[x]
                    around = [here[x], here[x - 1], over[x], over[x + 1], here[x + 1], under[x], last]
                else:
                    around = [up[x + 1], row[x - 2], above[x + 1], above[x + 2], up[x + 2], up[x - 1], above[x]]
                copied = (y // 16, (x - 2) // 16) in copies
                row.append(around[0] if copied else self.code(row[x - 1], up[x - 1 : x + 2], around))
            lines.append(margins(row[2:]))
        return [line[2:-2] for line in lines[2:]]

    def code(self, left: int, over: list[int], around: list[int]) -> int:
        corner, up, right = over
        same, before, above, above_right, after, below, last = around
        pattern = [up == left, corner == left, same == left, before == left, last == left, up == corner, up == right]
        pattern += [same == up, above == up, above_right == right, after == same, below == same]
        equal = sum(bit << number for number, bit in enumerate([*pattern, last == same, last == up]))
        place = hashed((left << 32) + (up << 16) + same, self.place_bits)
        for g, guess in enumerate([same, left, up]):
            if guess not in [same, left, up][:g]:
                counters = [self.wide["guess", equal, g], self.narrow["guess", place, g]]
                if self.mixed(counters, ("guess", equal & 511, g), 40000):
                    return guess
        drop = self.bits - 6 if self.bits > 8 else 0
        neighbors = [left, up, same, ((left >> drop) << 16) + (up >> drop)]
        value = node = 1
        for number in range(self.bits - 1, -1, -1):
            if number == self.bits - 1 or number % 4 == 3:
                places = [(neighbor << 18) + 4 * value + n for n, neighbor in enumerate(neighbors)]
                lines, node = [hashed(place, self.line_bits) for place in places], 1
            bit = self.mixed([self.narrow["tree", line, node] for line in lines], ("tree", number), 22000)
            node, value = 2 * node + bit, 2 * value + bit
        return min(value - (1 << self.bits), self.greatest)


def block(space: str, height: int, width: int, code: list[int]) -> list[list[tuple[int, ...]]]:
    """Section 3: the pixels that a code stands for."""

    def pixel(y: int, x: int) -> tuple[int, ...]:
        i, chroma = y * width + x, height * width + y // 2 * (width // 2) + x // 2
        if space != "ycbcr420":
            return (code[i],) if space == "gray" else tuple(code[3 * i : 3 * i + 3])
        luma, b, r = 65536 * code[i], code[chroma] - 128, code[chroma + height * width // 4] - 128
        colors = (luma + 91881 * r, luma - 22554 * b - 46802 * r, luma + 116130 * b)
        return tuple(clip((color + 32768) >> 16, 0, 255) for color in colors)

    return [[pixel(y, x) for x in range(width)] for y in range(height)]


def read_group(payload: bytes, header: dict[str, Any], codes: Rows) -> list[PlainFrame]:
    """Section 5."""
    numbers = Numbers(payload)
    first, count = numbers.number(), numbers.number()
    tick = Fraction(header.get("time_base", 0))
    width, height, time, duration, frames, clear = header.get("width", 0), header.get("height", 0), 0, 0, [], []
    for index in range(first, first + count):
        flags = numbers.take(1)[0]
        if flags & 1:
            width, height = numbers.number(), numbers.number()
        time += duration + (numbers.signed() if flags & 2 else 0)
        duration = numbers.number() if flags & 4 else duration
        name = numbers.take(numbers.number()).decode() if flags & 8 else None
        frames.append(PlainFrame(index, width, height, time * tick, duration * tick or None, name))
        if flags & 16:
            clear.append(frames[-1])
        if flags & 32 or not tick:
            frames[-1].time, time = None, 0
    if clear:
        alpha = numbers.take(numbers.number())
        planes = IndexDecoder(alpha, 256, [(frame.height, frame.width) for frame in clear]).planes
        for frame, plane in zip(clear, planes, strict=True):
            frame.alpha = plane
    h, w = header["block"]
    sizes = [(-(-frame.height // h), -(-frame.width // w)) for frame in frames]
    rows = list(range(len(codes)))
    rows = rows_by_number(codes, rows) if len(rows) > 256 else rows
    shown = [block(header["space"], h, w, code) for code in codes]
    planes = IndexDecoder(payload[numbers.at :], len(codes), sizes).planes
    for frame, plane in zip(frames, planes, strict=True):
        frame.codes = [[rows[number] for number in line] for line in plane]
        for y in range(frame.height):
            line = [shown[frame.codes[y // h][x // w]][y % h][x % w] for x in range(frame.width)]
            frame.pixels.append(line)
    return frames


def decode(data: bytes, external: Rows | None = None) -> PlainFile:
    """All that is in a file (sections 2, 3, 6 and 9); `external` are the codes of one without its codebook."""
    assert data[:12] == b"\x89SVQ\r\n\x1a\n\1\0\0\0"
    frames: list[PlainFrame] = []
    codes, audio, chunks, at = external or [], b"", [], 12
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "little")
        assert crc32(data[at:end]) == int.from_bytes(data[end : end + 4], "little")
        chunks.append((at, data[at + 4 : at + 8], data[at + 8 : end]))
        at = end + 4
    header = json.loads(chunks[0][2])
    (height, width), space, count = header["block"], header["space"], header["codes"]
    groups = []  # where they start and how many frames they hold
    for start, kind, payload in chunks:
        if kind == b"BOOK":
            codes = read_codebook(payload, space, height, width, count)
        elif kind == b"AUDI":
            audio += payload
        elif kind == b"GRUP":
            added = read_group(payload, header, codes)
            frames += added
            groups.append((start, len(added)))
    (start, kind, index), (_, last_kind, place) = chunks[-2:]
    assert (kind, last_kind, int.from_bytes(place, "little")) == (b"INDX", b"FEND", start)
    numbers, at = Numbers(index), 0
    assert numbers.number() == len(groups)
    for start, held in groups:
        assert (numbers.number(), numbers.number()) == (start - at, held)
        at = start
    assert [frame.index for frame in frames] == list(range(len(frames)))
    shape = json.dumps(["streamvq codebook", space, [height, width], [count, len(codes[0])]])
    assert sha256(shape.encode() + b"\n" + b"".join(map(bytes, codes))).hexdigest() == header["fingerprint"]
    return PlainFile(header, codes, frames, audio)
