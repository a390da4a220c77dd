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
        self.range, self.low = 2**64 - 1, 0
        for _ in range(2):
            self.low = (self.low << 32) + self.word()

    def word(self) -> int:
        return int.from_bytes(self.words.take(4).ljust(4, b"\0"), "big")

    def bit(self, p0: int) -> int:
        bound = (self.range >> 16) * p0
        bit = int(self.low >= bound)
        self.low, self.range = (self.low - bound, self.range - bound) if bit else (self.low, bound)
        if self.range < 2**32:
            self.low, self.range = (self.low << 32) + self.word(), self.range << 32
        return bit


def clip(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


class ResidualDecoder:
    """Section 4: the residuals of the samples of a codebook."""

    def __init__(self, data: bytes) -> None:
        self.decoder = RangeDecoder(data)
        self.states: dict[tuple[int, int], list[int]] = defaultdict(lambda: [32768, 0])

    def bit(self, node: int, context: int) -> int:
        p0, count = self.states[node, context]
        bit = self.decoder.bit(p0)
        self.states[node, context] = [p0 + (((64 if bit else 65472) - p0) >> (1 + count)), min(count + 1, 6)]
        return bit

    def residual(self, plane: int, activity: int) -> int:
        context, length = 9 * (8 * plane + min(activity.bit_length(), 7)), 0
        while length < 8 and self.bit(0, context + length):
            length += 1
        if length == 0:
            return 0
        sign, magnitude = -1 if self.bit(1, context) else 1, 1
        for p in range(length - 2, -1, -1):
            magnitude = 2 * magnitude + self.bit(2, 9 * (9 * plane + length) + (p if p == length - 2 else 8))
        return sign * magnitude


def read_codebook(data: bytes, space: str, height: int, width: int, count: int) -> Rows:
    """Section 4: the codes, each a list of its samples. A position is a sample's plane, row and column."""
    planes = [(height, width), (height // 2, width // 2), (height // 2, width // 2)][: 1 if space == "gray" else 3]
    stored = order = [
        (p, y, x) for p, (rows, columns) in enumerate(planes) for y in range(rows) for x in range(columns)
    ]
    if space == "rgb":
        pixels = [(y, x) for y in range(height) for x in range(width)]
        stored = [(p, y, x) for y, x in pixels for p in (1, 0, 2)]
        order = [(p, y, x) for y, x in pixels for p in ((1, 2, 0) if len(pixels) == 1 else (0, 1, 2))]
    decoder, codes = ResidualDecoder(data), []
    code, magnitudes = dict.fromkeys(order, 128), dict.fromkeys(order, 0)
    for _ in range(count):
        before, magnitudes_before, code, magnitudes, magnitude, green_residual = code, magnitudes, {}, {}, 0, 0
        for position in order:
            plane, y, x = position
            if y > 0 and x > 0:
                a, b, c = code[plane, y, x - 1], code[plane, y - 1, x], code[plane, y - 1, x - 1]
            elif y > 0 or x > 0:
                a = b = c = code[plane, y, x - 1] if x > 0 else code[plane, y - 1, x]
            else:
                a = b = c = before[position]
            prediction = max(min(a, b), min(max(a, b), a + b - c))
            if space == "rgb" and len(order) > 3 and plane > 0:
                prediction += green_residual
            elif space == "rgb" and len(order) == 3:
                old_red, old_blue = before[1, 0, 0], before[2, 0, 0]
                if plane == 2:
                    prediction = old_blue + code[1, 0, 0] - old_red
                elif plane == 0:
                    prediction += (299 * (old_red - code[1, 0, 0]) + 114 * (old_blue - code[2, 0, 0])) // 587
            prediction = clip(prediction, 0, 255)
            residual = decoder.residual(plane, magnitudes_before[position] + magnitude + abs(a - c) + abs(b - c))
            code[position] = prediction + residual
            magnitudes[position] = magnitude = abs(residual)
            green_residual = residual if plane == 0 else green_residual
        codes.append([code[position] for position in stored])
    return codes


def rows_by_number(codes: Rows, rows: list[int]) -> list[int]:
    """Section 8.1: the row that each number stands for."""
    if len(rows) == 1:
        return rows
    samples = [[codes[row][i] for row in rows] for i in range(len(codes[0]))]
    variances = [len(rows) * sum(level * level for level in levels) - sum(levels) ** 2 for levels in samples]
    widest = variances.index(max(variances))
    rows = sorted(rows, key=lambda row: codes[row][widest])
    half = 1 << ((len(rows) - 1).bit_length() - 1)
    return rows_by_number(codes, rows[:half]) + rows_by_number(codes, rows[half:])


def squash(x: int) -> int:
    x = clip(x, -2816, 2815)
    value = (KNOTS[abs(x) // 128] * (128 - abs(x) % 128) + KNOTS[abs(x) // 128 + 1] * (abs(x) % 128) + 64) >> 7
    return clip(65536 - value if x < 0 else value, 1, 65535)


STRETCH = [min(bisect_left(range(-2816, 2816), 16 * q + 8, key=squash) - 2816, 2815) for q in range(4096)]


class Probability:
    """Section 8.2: an adaptive probability of 22 or 12 bits."""

    def __init__(self, bits: int) -> None:
        self.bits, self.value, self.count = bits, 0, 0

    def stretch(self) -> int:
        return STRETCH[(self.value >> (self.bits - 12)) + 2048]

    def update(self, bit: int) -> None:
        max_count, r = (15, 32768) if self.bits == 12 else (255, 0)
        rate = 3276 if self.count == 15 and self.bits == 12 else 655360 // (10 * self.count + 16)
        target = -(1 << (self.bits - 1)) if bit else (1 << (self.bits - 1)) - 1
        self.value += ((target - self.value) * rate + r) >> 16
        self.count = min(self.count + 1, max_count)


def hashed(value: int, bits: int) -> int:
    return (value * H % 2**64) >> (64 - bits)


def margins(row: list[int]) -> list[int]:
    return [row[0]] * 2 + row + [row[-1]] * 2


class IndexDecoder:
    """Section 8: the planes of a group, of these rows and columns, with `codes` by number."""

    def __init__(self, data: bytes, codes: Rows, sizes: list[tuple[int, int]]) -> None:
        n_codes = len(codes)
        self.decoder, self.max_code, self.bits = RangeDecoder(data), n_codes - 1, (n_codes - 1).bit_length()
        self.colors = [code if len(code) == 3 else [sum(code) // len(code)] * 3 for code in codes]
        s = clip((sum(rows * columns for rows, columns in sizes) - 1).bit_length(), 10, 18)
        self.s, self.context_bits, self.slot_bits = s, min(s, 17), min(s, 16) if n_codes <= 256 else s
        self.p22: dict[Any, Probability] = defaultdict(lambda: Probability(22))
        self.p12: dict[Any, Probability] = defaultdict(lambda: Probability(12))
        self.weights: dict[Any, list[int]] = {}
        self.planes: list[Rows] = []
        past: list[Rows] = []  # up to two planes just before that have the same size, the latest first
        for rows, columns in sizes:
            if past and (len(past[0]), len(past[0][0])) != (rows, columns):
                past = []
            past = [self.plane(rows, columns, past), *past[:1]]
            self.planes.append(past[0])

    def alone(self, number: int) -> int:
        probability = self.p22[number]
        bit = self.decoder.bit(clip((probability.value + 2**21) >> 6, 64, 65472))
        probability.update(bit)
        return bit

    def mixed(self, inputs: list[Probability], context: Any, start: int) -> int:
        weights = self.weights.setdefault(context, [start] * len(inputs))
        logits = [probability.stretch() for probability in inputs]
        p0 = squash(sum(weight * logit for weight, logit in zip(weights, logits, strict=True)) >> 16)
        bit = self.decoder.bit(p0)
        for i, logit in enumerate(logits):
            weights[i] += (logit * (65536 * (1 - bit) - p0) + 2**14) >> 15
        for probability in {id(probability): probability for probability in inputs}.values():
            probability.update(bit)
        return bit

    def motion_compensate(self, previous: Rows) -> tuple[Rows, set[tuple[int, int]]]:
        """Section 8.3: the prediction, and which tiles are skipped."""
        return self.compensated(previous, *self.motion(len(previous), len(previous[0])))

    def motion(self, rows: int, columns: int) -> tuple[list[tuple[int, int]], dict, set[tuple[int, int]]]:
        """The vectors, that of each tile, and which tiles are skipped."""
        vectors = [(0, 0)]
        while len(vectors) < 8 and self.alone(len(vectors) - 1):
            both = 0
            for bit_index in range(31, -1, -1):
                both = 2 * both + self.alone(8 + bit_index)
            vectors.append((both // 65536 - 32768, both % 65536 - 32768))
        chosen: dict[tuple[int, int], int] = defaultdict(int)
        skips: set[tuple[int, int]] = set()
        for y, x in [(y, x) for y in range((rows + 15) // 16) for x in range((columns + 15) // 16)]:
            for j in range(len(vectors)):
                chosen[y, x] = j
                beside = 2 * (chosen[y - 1, x] == j) + (chosen[y, x - 1] == j)
                if j < len(vectors) - 1 and self.alone(40 + 4 * j + beside):
                    break
            if self.alone(68 + 4 * (chosen[y, x] > 0) + 2 * ((y - 1, x) in skips) + ((y, x - 1) in skips)):
                skips.add((y, x))
        return vectors, chosen, skips

    def compensated(
        self, previous: Rows, vectors: list[tuple[int, int]], chosen: dict, skips: set[tuple[int, int]]
    ) -> tuple[Rows, set[tuple[int, int]]]:
        """The prediction, and which tiles are skipped."""

        def code(y: int, x: int) -> int:
            dy, dx = vectors[chosen[y // 16, x // 16]]
            return previous[clip(y + dy, 0, len(previous) - 1)][clip(x + dx, 0, len(previous[0]) - 1)]

        return [[code(y, x) for x in range(len(previous[0]))] for y in range(len(previous))], skips

    def plane(self, rows: int, columns: int, past: list[Rows]) -> Rows:
        """Section 8.4; x counts from the left margin."""
        prediction, skips = self.motion_compensate(past[0]) if past else ([[0] * columns], set())
        predicted = [margins(row) for row in prediction]
        coded = [[0] * (columns + 4), predicted[0]]
        for y in range(rows):
            above2, above = coded[-2:]
            row = [above[2]] * 2
            for x in range(2, columns + 2):
                if past:
                    here, over, under = predicted[y], predicted[max(y - 1, 0)], predicted[min(y + 1, rows - 1)]
                    two_back = past[1][y][x - 2] if len(past) == 2 else here[x]
                    around = [here[x], here[x - 1], over[x], over[x + 1], here[x + 1], under[x], two_back]
                else:
                    around = [
                        above[x + 1],
                        row[x - 2],
                        above2[x + 1],
                        above2[x + 2],
                        above[x + 2],
                        above[x - 1],
                        above2[x],
                    ]
                self.farther, self.was = [row[x - 2], above2[x]], []
                if past:
                    self.was = [
                        here[x - 1],
                        over[x],
                        over[x - 1],
                        over[x + 1],
                        here[x - 2],
                        predicted[max(y - 2, 0)][x],
                    ]
                skipped = (y // 16, (x - 2) // 16) in skips
                row.append(around[0] if skipped else self.code(row[x - 1], above[x - 1 : x + 2], around))
            coded.append(margins(row[2:]))
        return [row[2:-2] for row in coded[2:]]

    def equality_context(self, left: int, over: list[int], around: list[int]) -> int:
        corner, above, right = over
        predicted, to_left, over_above, over_right, to_right, below, two_back = around
        equal = [above == left, corner == left, predicted == left, to_left == left, two_back == left, above == corner]
        equal += [above == right, predicted == above, over_above == above, over_right == right, to_right == predicted]
        equal += [below == predicted, two_back == predicted, two_back == above]
        return sum(bit << number for number, bit in enumerate(equal))

    def code(self, left: int, over: list[int], around: list[int]) -> int:
        above, predicted = over[1], around[0]
        context = self.equality_context(left, over, around)
        context_hash = hashed((left << 32) + (above << 16) + predicted, self.context_bits)
        candidates = [predicted, left, above]
        for g, candidate in enumerate(candidates):
            if candidate not in candidates[:g]:
                inputs = [self.p22["candidate", context, g], self.p12["candidate", context_hash, g]]
                if self.mixed(inputs, ("candidate", context & 511, g), 40000):
                    return candidate
        drop = self.bits - 6 if self.bits > 8 else 0
        neighbors = [left, above, predicted, ((left >> drop) << 16) + (above >> drop)]
        value = node = 1
        for bit_index in range(self.bits - 1, -1, -1):
            if bit_index == self.bits - 1 or bit_index % 4 == 3:
                keys = [(neighbor << 18) + 4 * value + n for n, neighbor in enumerate(neighbors)]
                slots, node = [hashed(key, self.slot_bits) for key in keys], 1
            bit = self.mixed([self.p12["escape", slot, node] for slot in slots], ("escape", bit_index), 22000)
            node, value = 2 * node + bit, 2 * value + bit
        return min(value - (1 << self.bits), self.max_code)


class DeepDecoder(IndexDecoder):
    """Section 14: the planes of a group by more contexts."""

    SALT = 0x2545F4914F6CDD1D

    def tone(self, code: int) -> int:
        first, second, third = self.colors[code]
        return (first + 2 * second + third) >> 2

    def code(self, left: int, over: list[int], around: list[int]) -> int:
        corner, above, right = over
        predicted, _, _, _, to_right, below, _ = around
        context = self.equality_context(left, over, around)
        near = [left, above, corner, right, *self.farther]
        expected, slope = [], []
        for i in range(3):
            total, was = (
                sum(w * self.colors[code][i] for w, code in zip((12, 7, -3, 4, -2, -2), codes, strict=False))
                for codes in (near, self.was)
            )
            total = total - was + 32 * self.colors[predicted][i] if self.was else 2 * total
            expected.append(clip((total + 16) >> 5, 0, 255))
            slope.append(clip(self.colors[left][i] + self.colors[above][i] - self.colors[corner][i], 0, 255))
        tones = [self.tone(code) for code in near]
        variation = abs(tones[0] - tones[2]) + abs(tones[1] - tones[2]) + abs(tones[1] - tones[3])
        change = sum(abs(tones[i] - self.tone(code)) for i, code in enumerate(self.was[:4]))
        tone_level, change_level = min(variation.bit_length(), 7), change.bit_length()

        def cell(color: list[int], bits: int) -> int:
            first, second, third = (component >> (8 - bits) for component in color)
            return (first << 2 * bits) + (second << bits) + third

        keys = [
            (left << 32) + (above << 16) + predicted,
            (left << 48) + (above << 32) + (right << 16) + corner,
            (to_right << 48) + (predicted << 32) + (below << 16) + left,
        ]
        equalities = (left == above, above == right, left == corner)
        candidates = [predicted, left, above]
        for g, candidate in enumerate(candidates):
            if candidate in candidates[:g]:
                continue
            apart = [abs(a - b) for a, b in zip(self.colors[candidate], expected, strict=True)]
            distance_level = (apart[0] + 2 * apart[1] + apart[2]).bit_length()
            inputs = [self.p22["equal", context, g]]
            for n, key in enumerate([*keys, (candidate << 32) + cell(expected, 6)], 1):
                inputs.append(self.p12["hashed", hashed(key + n * self.SALT, self.s + 1), g])
            inputs.append(self.p22["distance", distance_level, change_level, tone_level, g])
            weights = [("equal", context & 511, g), ("distance", distance_level, tone_level, g)]
            if self.doubly_mixed(inputs, weights, 6000, (change_level, tone_level, equalities, g)):
                return candidate
        drop = self.bits - 6 if self.bits > 8 else 0
        sloped, coarse = cell(slope, 5), cell(expected, 5)
        contexts = [left, above, predicted, ((left >> drop) << 16) + (above >> drop), sloped]
        contexts += [(sloped << 16) + left, ((left >> drop) << 16) + (self.farther[0] >> drop), coarse]
        contexts += [(coarse << 16) + predicted, ((above >> drop) << 16) + (predicted >> drop)]
        value = node = 1
        for bit_index in range(self.bits - 1, -1, -1):
            if bit_index == self.bits - 1 or bit_index % 4 == 3:
                prefixed = [((key + n * self.SALT) * H % 2**64 >> 20) + value for n, key in enumerate(contexts)]
                slots, node = [hashed(key, self.s) for key in prefixed], 1
            weights = [("tone", bit_index, tone_level), ("path", bit_index, value & 1023)]
            bit = self.doubly_mixed([self.p22["escape", slot, node] for slot in slots], weights, 7500, None)
            node, value = 2 * node + bit, 2 * value + bit
        return min(value - (1 << self.bits), self.max_code)

    def doubly_mixed(self, inputs: list[Probability], keys: list[Any], start: int, refinement: Any) -> int:
        """A bit mixed with the sums of two sets of weights, and refined by what followed such mixtures."""
        sets = [self.weights.setdefault(key, [start] * len(inputs)) for key in keys]
        logits = [probability.stretch() for probability in inputs]
        total = sum((a + b) * logit for a, b, logit in zip(*sets, logits, strict=True)) >> 16
        p0 = mixed = squash(total)
        if refinement is not None:
            knot, part = divmod(clip(total, -2816, 2815) + 2816, 256)
            lower, upper = self.knot(refinement, knot), self.knot(refinement, knot + 1)
            refined = (((lower.value * (256 - part) + upper.value * part) >> 8) + 2**21) >> 6
            p0 = clip((mixed + refined) >> 1, 32, 65504)
        bit = self.decoder.bit(p0)
        for weights in sets:
            for i, logit in enumerate(logits):
                weights[i] += (logit * (65536 * (1 - bit) - mixed) + 2**15) >> 16
        for probability in {id(probability): probability for probability in inputs}.values():
            probability.update(bit)
        if refinement is not None:
            (lower if part < 128 else upper).update(bit)
        return bit

    def knot(self, refinement: Any, number: int) -> Probability:
        key = "refinement", refinement, number
        if key not in self.p22:
            self.p22[key].value, self.p22[key].count = squash(256 * number - 2816) * 64 - 2**21, 10
        return self.p22[key]


class StaticDecoder(IndexDecoder):
    """Section 13: the planes of a group by static models."""

    def __init__(self, data: bytes, codes: Rows, sizes: list[tuple[int, int]]) -> None:
        n_codes = len(codes)
        numbers = Numbers(data)
        n_side, lengths = numbers.number(), [numbers.number() for _ in range(4)]
        self.decoder, self.p22 = RangeDecoder(numbers.take(n_side)), defaultdict(lambda: Probability(22))
        self.s, self.max_code = max((n_codes - 1).bit_length() - 8, 0), n_codes - 1
        motion, before = [], None
        for rows, columns in sizes:
            motion.append(self.motion(rows, columns) if (rows, columns) == before else None)
            before = rows, columns
        self.wide, self.neighbor = (
            self.decoder.bit(32768),
            min(2 * self.decoder.bit(32768) + self.decoder.bit(32768), 2),
        )
        self.models, n_upper = [self.model(65536, 6)], ((n_codes - 1) >> self.s) + 1
        if any(cluster[5] for cluster in self.models[0][1]):
            self.models.append(self.model(n_upper, n_upper))
            if self.s:
                self.models.append(self.model(n_upper, 1 << self.s))
        self.words = [[int.from_bytes(numbers.take(2), "little") for _ in range(length)] for length in lengths]
        self.states = [
            (lane.pop(0) << 32) + (lane.pop(0) << 16) + lane.pop(0) if lane else 2**23 for lane in self.words
        ]
        self.memories: list[dict[int, int]] = [defaultdict(int) for _ in range(4)]
        self.planes = []
        for (rows, columns), moved in zip(sizes, motion, strict=True):
            predicted, skips = self.compensated(self.planes[-1], *moved) if moved else (None, set())
            self.planes.append(self.static_plane(rows, columns, predicted, skips))
        assert self.states == [2**23] * 4
        assert not any(self.words)

    def number(self, tree: Any, bits: int) -> int:
        node = 1
        for _ in range(bits):
            node = 2 * node + self.alone((self.model_number, tree, node))
        return node - (1 << bits)

    def model(self, n_contexts: int, n_symbols: int) -> tuple[list[int], list[list[int]]]:
        """Section 12.4."""
        self.model_number = getattr(self, "model_number", 0) + 1
        n_clusters, clusters, inherits = self.number("clusters", 8) + 1, [], []
        for context in range(n_contexts):
            parent = context & (context - 1) if context else 0
            inherits.append(self.alone((self.model_number, "inherits", inherits[parent] if context else 0)))
            same = clusters[parent] if context else 0
            clusters.append(same if inherits[-1] else min(self.number("cluster", 8), n_clusters - 1))
        frequencies = []
        for _ in range(n_clusters):
            largest, length, each = min(self.number("largest", 8), n_symbols - 1), 0, [0] * n_symbols
            for symbol in range(n_symbols):
                if symbol != largest:
                    length = self.number(("length", length), 4)
                    value = min(length, 1)
                    for i in range(1, length):
                        value = 2 * value + (self.alone((self.model_number, length, value)) if i < 4 else 0)
                    each[symbol] = value
            each[largest] = 4096 - sum(each)
            frequencies.append(each)
        return clusters, frequencies

    def symbol(self, lane: int, model: int, context: int) -> int:
        """Section 12.1."""
        clusters, frequencies = self.models[model]
        each, slot, symbol, start = frequencies[clusters[context]], self.states[lane] % 4096, 0, 0
        while slot >= start + each[symbol]:
            start, symbol = start + each[symbol], symbol + 1
        self.states[lane] = each[symbol] * (self.states[lane] >> 12) + slot - start
        if self.states[lane] < 2**23:
            self.states[lane] = (self.states[lane] << 16) + self.words[lane].pop(0)
        return symbol

    def static_plane(self, rows: int, columns: int, predicted: Rows | None, skips: set[tuple[int, int]]) -> Rows:
        """Section 12.2."""
        band = -(-rows // 4) if rows >= 128 else rows
        plane: Rows = []
        for y in range(rows):
            over, predicted_over = [0] * (columns + 4), [0] * (columns + 4)
            if predicted is not None:
                here, predicted_over = margins(predicted[y]), margins(predicted[max(y - 1, 0)])
                over = margins(plane[-1]) if y % band else predicted_over
            else:
                if y % band:
                    over, predicted_over = margins(plane[-1]), here
                here = [over[0], *over[:-1]]
            row = [over[2]] * 2
            for x in range(2, columns + 2):
                skipped = (y // 16, (x - 2) // 16) in skips
                if skipped:
                    row.append(here[x])
                    continue
                around = [over[x], over[x - 1], over[x + 1], over[x + 2], here[x]]
                as_predicted = [x - n >= 2 and row[x - n] == here[x - n] for n in (1, 2)]
                rest = [
                    around[0] == predicted_over[x],
                    around[2] == predicted_over[x + 1],
                    here[x] == predicted_over[x],
                ]
                rest += [around[3] == predicted_over[x + 2], around[1] == around[0], here[x] == here[x + 1]]
                rest += [around[1] == predicted_over[x - 1], predicted is None]
                row.append(self.static_code(y // band, row[-2:], around, as_predicted, rest))
            plane.append(row[2:])
        return plane

    def static_code(
        self, lane: int, before: list[int], around: list[int], as_predicted: list[bool], rest: list[bool]
    ) -> int:
        """Sections 12.2 and 12.3."""
        (second, left), (above, corner, right, _, predicted) = before, around
        equal = [above == left, predicted == left, right == left, *as_predicted]
        equal += [predicted == above, right == above, right == predicted, *rest]
        token = self.symbol(lane, 0, sum(bit << number for number, bit in enumerate(equal)))
        if token < 4:
            return (predicted, left, above, right)[token]
        slot = 0
        for value in [left, above, right, corner, second] if self.wide else [left, above, predicted]:
            slot = (slot + value) * H % 2**64
        if token == 5:
            code = upper = self.symbol(lane, 1, (left, above, predicted)[self.neighbor] >> self.s)
            if self.s:
                code = (upper << self.s) + self.symbol(lane, 2, upper)
            self.memories[lane][slot >> 49] = min(code, self.max_code)
        return self.memories[lane][slot >> 49]


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
    coder = {"static": StaticDecoder, "deep": DeepDecoder}.get(header.get("coder", ""), IndexDecoder)
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
        planes = coder(
            alpha, [[level] for level in range(256)], [(frame.height, frame.width) for frame in clear]
        ).planes
        for frame, plane in zip(clear, planes, strict=True):
            frame.alpha = plane
    if "patch" in header:
        from plain_factors import decode_pixels  # which takes the range coder from here

        sizes = [(frame.height, frame.width) for frame in frames]
        pictures = decode_pixels(payload[numbers.at :], sizes, header["space"], header["patch"])
        for frame, pixels in zip(frames, pictures, strict=True):
            frame.pixels = pixels
        return frames
    h, w = header["block"]
    sizes = [(-(-frame.height // h), -(-frame.width // w)) for frame in frames]
    rows = list(range(len(codes)))
    rows = rows_by_number(codes, rows) if len(rows) > 256 else rows
    shown = [block(header["space"], h, w, code) for code in codes]
    planes = coder(payload[numbers.at :], [codes[row] for row in rows], sizes).planes
    for frame, plane in zip(frames, planes, strict=True):
        frame.codes = [[rows[number] for number in line] for line in plane]
        for y in range(frame.height):
            line = [shown[frame.codes[y // h][x // w]][y % h][x % w] for x in range(frame.width)]
            frame.pixels.append(line)
    return frames


def decode(data: bytes, external: Rows | None = None) -> PlainFile:
    """All that is in a file (sections 2, 3, 6 and 9); `external` are the codes of one without its codebook."""
    version = int.from_bytes(data[8:12], "little")
    assert data[:8] == b"\x89SVQ\r\n\x1a\n"
    assert version in (1, 2, 3)
    frames: list[PlainFrame] = []
    codes, audio, chunks, at = external or [], b"", [], 12
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "little")
        assert crc32(data[at:end]) == int.from_bytes(data[end : end + 4], "little")
        chunks.append((at, data[at + 4 : at + 8], data[at + 8 : end]))
        at = end + 4
    header = {"space": "rgb", "block": [1, 1]} | json.loads(chunks[0][2])
    assert (version == 3) == ("coder" in header)
    (height, width), space, count = header["block"], header["space"], header.get("codes", 0)
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
    assert last_kind == b"FEND"
    assert (kind == b"INDX") == (version == 1 or len(groups) > 1)
    if kind == b"INDX":
        assert int.from_bytes(place, "little") == start
        numbers, at = Numbers(index), 0
        assert numbers.number() == len(groups)
        for start, held in groups:
            assert (numbers.number(), numbers.number()) == (start - at, held)
            at = start
    else:
        assert not place
    assert [frame.index for frame in frames] == list(range(len(frames)))
    if "patch" in header:
        return PlainFile(header, [], frames, audio)
    shape = json.dumps(["streamvq codebook", space, [height, width], [count, len(codes[0])]])
    alpha = bytes.fromhex(header["alpha"]).ljust(count, b"\xff") if "alpha" in header else b""
    fingerprint = sha256(shape.encode() + b"\n" + b"".join(map(bytes, codes)) + alpha).hexdigest()
    if b"BOOK" in [kind for _, kind, _ in chunks]:
        header.setdefault("fingerprint", fingerprint)
    assert header["fingerprint"] == fingerprint
    if alpha:
        for frame in frames:
            assert frame.alpha is None
            frame.alpha = [[alpha[code] for code in line] for line in frame.codes]
    return PlainFile(header, codes, frames, audio)
