"""The factors of `.svq` files, decoded slowly and written from sections 9 and 10 of `FORMAT.md` alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isqrt
from typing import Any

from plain_decoder import Numbers, Probability, RangeDecoder, Rows, clip, squash

Shape = tuple[int, int, int]  # components, rows, columns
Pixels = list[list[tuple[int, ...]]]


@dataclass
class Channel:
    """Section 9: what the table says of a channel, and its stacks."""

    height: int
    width: int
    bits: list[int]
    shapes: list[Shape]
    left: list[Rows] = field(default_factory=list)
    right: list[Rows] = field(default_factory=list)


def decode_pixels(data: bytes, sizes: list[tuple[int, int]], space: str, patch: int) -> list[Pixels]:
    """Section 9: the pixels of frames of these heights and widths."""
    payload = Numbers(data)
    table = Numbers(payload.take(payload.number()))
    steps, frames = [], []
    for height, width in sizes:
        steps.append(table.number())
        half = ((height + 1) // 2, (width + 1) // 2)
        planes = {"gray": [(height, width)], "rgb": [(height, width)] * 3, "ycbcr420": [(height, width), half, half]}
        channels = []
        for h, w in planes[space]:
            rank = table.number()
            rows, columns = -(-h // (patch or 1)), -(-w // (patch or 1))
            left, right = ((rows, columns), (patch, patch)) if patch else ((h, 1), (1, w))
            channels.append(Channel(h, w, list(table.take(rank)), [(rank, *left), (rank, *right)]))
        frames.append(channels)
    assert table.at == len(table.data)
    shapes = [[shape for channel in channels for shape in channel.shapes] for channels in frames]
    decoded = StackDecoder(data[payload.at :], shapes).frames
    pictures = []
    for (height, width), step, channels, stacks in zip(sizes, steps, frames, decoded, strict=True):
        for number, channel in enumerate(channels):
            channel.left, channel.right = stacks[2 * number : 2 * number + 2]
        values = [levels(channel, step, patch, bool(n) and space == "ycbcr420") for n, channel in enumerate(channels)]
        pictures.append([[pixel(values, space, y, x) for x in range(width)] for y in range(height)])
    return pictures


def levels(channel: Channel, step: int, patch: int, chroma: bool) -> Rows:
    """Section 9: the values of a channel in 256ths of a level."""
    b = max(channel.bits, default=0)

    def value(y: int, x: int) -> int:
        if not channel.bits:
            return 0
        total = 0
        for left, right, bits in zip(channel.left, channel.right, channel.bits, strict=True):
            if patch:
                product = left[y // patch][x // patch] * right[y % patch][x % patch]
            else:
                product = left[y][0] * right[0][x]
            total += product << (b - bits)
        if chroma:
            return clip((total * step + (1 << b)) >> (b + 1), -(2**24), 2**24)
        return clip((total * step + (1 << b >> 1)) >> b, -(2**24), 2**24)

    return [[value(y, x) for x in range(channel.width)] for y in range(channel.height)]


def pixel(values: list[Rows], space: str, y: int, x: int) -> tuple[int, ...]:
    """Section 9: a pixel of these channels."""
    if space != "ycbcr420":
        return tuple(clip((plane[y][x] + 128) >> 8, 0, 255) for plane in values)
    luma, b, r = 65536 * values[0][y][x], values[1][y // 2][x // 2], values[2][y // 2][x // 2]
    colors = (luma + 91881 * r, luma - 22554 * b - 46802 * r, luma + 116130 * b)
    return tuple(clip((color + 2**23) >> 24, 0, 255) for color in colors)


class Plane(dict[tuple[int, int], int]):
    """Samples by row and column, 0 where nothing was written."""

    def __missing__(self, key: tuple[int, int]) -> int:
        return 0


class Extended:
    """Samples of a size that go on with the nearest one."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __getitem__(self, place: tuple[int, int]) -> int:
        y, x = place
        return self.rows[clip(y, 0, len(self.rows) - 1)][clip(x, 0, len(self.rows[0]) - 1)]


@dataclass
class Stack:
    """Section 10.1: a stack and what it refers to."""

    position: int
    rank: int
    height: int
    width: int
    kind: int
    pair: Stack | None = None
    temporal: Stack | None = None
    inter_channel: Stack | None = None
    components: list[Rows] = field(default_factory=list)
    residuals: list[Rows] = field(default_factory=list)

    def size(self) -> tuple[int, int]:
        return self.height, self.width


class Predictor:
    """Section 10.3."""

    def __init__(self) -> None:
        self.started = False
        self.t, self.g = [0] * 12, [0] * 12
        self.G = [[0] * 12 for _ in range(12)]

    def scale(self, shift: int, more: int) -> None:
        self.G = [[entry >> shift for entry in row] for row in self.G]
        for k in range(12):
            self.G[k][k] += more


def L(x: int) -> int:
    """Section 10.4."""
    if x < 2:
        return x
    return min(2 * x.bit_length() - 2 + (x >> (x.bit_length() - 2)) % 2, 31)


class StackDecoder:
    """Section 10: the stacks of frames of these shapes, as lists of components."""

    def __init__(self, data: bytes, shapes: list[list[Shape]]) -> None:
        self.decoder = RangeDecoder(data)
        self.p: dict[Any, Probability] = defaultdict(lambda: Probability(22))
        self.weights: dict[Any, list[int]] = {}
        self.predictors: dict[tuple[int, int], Predictor] = defaultdict(Predictor)
        self.frames: list[list[list[Rows]]] = []
        previous: dict[int, Stack] = {}
        for frame in shapes:
            here: dict[int, Stack] = {}
            order = sorted(range(len(frame)), key=lambda p: (p // 2, frame[p][1] * frame[p][2]))
            for position in order:
                rank, h, w = frame[position]
                if rank * h * w:
                    here[position] = self.stack(position, frame[position], here, previous)
            self.frames.append([self.reshaped(here.get(p), frame[p]) for p in range(len(frame))])
            previous = here

    def reshaped(self, stack: Stack | None, shape: Shape) -> list[Rows]:
        """The components with their own rows and columns again."""
        if stack is None:
            return []
        flat = [[value for row in component for value in row] for component in stack.components]
        _, h, w = shape
        return [[values[y * w : (y + 1) * w] for y in range(h)] for values in flat]

    def stack(self, position: int, shape: Shape, here: dict[int, Stack], previous: dict[int, Stack]) -> Stack:
        rank, h, w = shape
        line = h == 1 or w == 1
        stack = Stack(position, rank, *((1, h * w) if line else (h, w)), 0 if line else 1 + position % 2)
        pair, temporal, channel = here.get(position ^ 1), previous.get(position), here.get(position - 2)
        stack.pair = pair if pair is not None and pair.rank == rank else None
        stack.temporal = temporal if temporal is not None and temporal.size() == stack.size() else None
        stack.inter_channel = channel if channel is not None and channel.size() == stack.size() else None
        skipped = 0
        for i in range(rank):
            past = stack.temporal
            if past is not None and past.rank > i:
                skipped = self.alone("skip", skipped)
                if skipped:
                    stack.components.append(past.components[i])
                    stack.residuals.append(past.residuals[i])
                    continue
            self.component(stack, i)
        return stack

    def alone(self, *key: Any) -> int:
        probability = self.p[key]
        bit = self.decoder.bit(clip((probability.value + 2**21) >> 6, 64, 65472))
        probability.update(bit)
        return bit

    def mixed(self, keys: list[Any], context: Any, start: int) -> int:
        weights = self.weights.setdefault(context, [start] * len(keys))
        inputs = [self.p[key] for key in keys]
        logits = [probability.stretch() for probability in inputs]
        p0 = squash(sum(weight * logit for weight, logit in zip(weights, logits, strict=True)) >> 16)
        bit = self.decoder.bit(p0)
        for n, (probability, logit) in enumerate(zip(inputs, logits, strict=True)):
            weights[n] += (logit * (65536 * (1 - bit) - p0) + 2**14) >> 15
            probability.update(bit)
        return bit

    def reference_plane(
        self, number: int, stack: Stack, reference: Stack | None, i: int
    ) -> tuple[Extended, Extended]:
        """Section 10.2: a reference plane and its residuals."""
        zeros = [[0] * stack.width for _ in range(stack.height)]
        if reference is None:
            return Extended(zeros), Extended(zeros)
        pair, other = stack.pair, reference.pair
        if pair is not None and other is not None and pair.size() == other.size():
            band = {j: cosine(other.components[i + j], pair.components[i]) for j in inside(i, other.rank)}
            band = {j: weight if abs(weight) >= 400 else 0 for j, weight in band.items()}
        else:
            band = self.match(number, stack.kind)
        band = {j: band.get(j, 0) for j in inside(i, reference.rank)}
        rows = [
            [
                clip(
                    (sum(w * reference.components[i + j][y][x] for j, w in band.items()) + 2048) >> 12,
                    -(2**20),
                    2**20,
                )
                for x in range(stack.width)
            ]
            for y in range(stack.height)
        ]
        largest = max(band, key=lambda j: abs(band[j]), default=0)
        if not any(band.values()):
            largest = min(0, reference.rank - 1 - i)
        return Extended(rows), Extended(reference.residuals[i + largest])

    def match(self, number: int, kind: int) -> dict[int, int]:
        def bit(node: int) -> int:
            return self.alone("match", number, kind, node)

        if bit(0):
            return {0: 4096}
        if not bit(1):
            return {}
        weight = -4096 if bit(2) else 4096
        if bit(3):
            weight = 2 * weight if bit(4) else weight // 2
        node = 1
        for _ in range(4):
            node = 2 * node + bit(4 + node)
        return {min(node - 16, 12) - 6: weight}

    def predictor(self, position: int, i: int) -> Predictor:
        """Section 10.3: the predictor as a component finds it."""
        row, column = position % 8, min(i, 255)
        found = self.predictors[row, column]
        if found.started:
            found.scale(2, 8)
            found.g = [entry >> 2 for entry in found.g]
            return found
        found.started = True
        if column > 0:
            before = self.predictors[row, column - 1]
            found.t, found.G = list(before.t), [[entry >> 4 for entry in entries] for entries in before.G]
        elif row >= 2:
            found.t = list(self.predictors[row - 2, 0].t)
        found.scale(0, 32)
        return found

    def component(self, stack: Stack, i: int) -> None:
        """Sections 10.2 to 10.4: the next component that is not skipped."""
        second = stack.inter_channel
        if second is None and stack.pair is None:
            second = stack.temporal
        planes = [self.reference_plane(0, stack, stack.temporal, i), self.reference_plane(1, stack, second, i)]
        before = Extended(stack.residuals[i - 1] if i else [[0]])
        self.turn = self.counted = 0
        predictor = self.predictor(stack.position, i)
        samples, residuals = Plane(), Plane()
        for y in range(stack.height):
            for plane in (samples, residuals):
                if y:
                    plane[y, -1] = plane[y, -2] = plane[y - 1, 0]
            for x in range(stack.width):
                if y == 0:
                    for plane in (samples, residuals):
                        plane[-1, x] = plane[-1, x + 1] = plane[-2, x] = plane[0, x - 1]
                value, residual = self.sample(stack.kind, (y, x), samples, residuals, planes, before, predictor)
                samples[y, x], residuals[y, x] = value, residual
            for plane in (samples, residuals):
                plane[y, stack.width] = plane[y, stack.width + 1] = plane[y, stack.width - 1]
        for plane, made in ((samples, stack.components), (residuals, stack.residuals)):
            made.append([[plane[y, x] for x in range(stack.width)] for y in range(stack.height)])

    def sample(
        self,
        kind: int,
        place: tuple[int, int],
        samples: Plane,
        residuals: Plane,
        planes: list[tuple[Extended, Extended]],
        before: Extended,
        predictor: Predictor,
    ) -> tuple[int, int]:
        """A sample and its residual."""
        y, x = place

        def near(plane: Any, *offsets: tuple[int, int]) -> list[int]:
            return [plane[y + dy, x + dx] for dy, dx in offsets]

        own, around = [(0, -1), (-1, 0), (-1, -1), (-1, 1)], [(0, 0), (0, -1), (-1, 0), (0, 1), (1, 0)]
        if kind == 0:
            own, around = [(0, -1), (0, -2), (0, -3), (0, -4)], [(0, 0), (0, -1), (0, 1), (0, -2), (0, 2)]
        inputs = near(samples, *own) + near(planes[0][0], *around) + near(planes[1][0], *around[:3])
        total = clip(sum(t * value for t, value in zip(predictor.t, inputs, strict=True)) >> 8, -(2**28), 2**28)
        guess = (total + 128) >> 8
        mirrored = total < 256 * guess
        if kind == 0:
            first, second, *others = near(residuals, *((0, -n) for n in range(1, 7)))
        else:
            first, second, *others = near(residuals, (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0))
        inner = 2 * first + 2 * second + sum(others)
        outer = []
        for plane in (before, planes[0][1], planes[1][1]):
            same, *rest = near(plane, *around)
            outer.append(4 * same + sum(rest))
        m = self.residual(kind, total, guess, inner, outer, [near(plane, (0, 0))[0] for plane, _ in planes], mirrored)
        value = clip(guess - m if mirrored else guess + m, -(2**20), 2**20)
        if any(inputs):
            self.adapt(predictor, inputs, 256 * value - total)
        return value, abs(m)

    def adapt(self, predictor: Predictor, inputs: list[int], error: int) -> None:
        """Section 10.3, adaptation."""
        t, g, gram = predictor.t, predictor.g, predictor.G
        for j, value in enumerate(inputs):
            g[j] += value * error
            for k, other in enumerate(inputs):
                gram[j][k] += value * other
        for _ in range(3):
            k, self.turn = self.turn, (self.turn + 1) % 12
            g[k] = clip(g[k], -(2**54), 2**54)
            old = t[k]
            t[k] = clip(old + (g[k] << 8) // gram[k][k], -(2**19), 2**19)
            for j in range(12):
                g[j] -= ((t[k] - old) * gram[k][j]) >> 8
        self.counted += 1
        if self.counted == 512:
            self.counted = 256
            predictor.scale(1, 8)
            predictor.g = [entry >> 1 for entry in g]

    def residual(
        self, kind: int, total: int, guess: int, inner: int, outer: list[int], references: list[int], mirrored: bool
    ) -> int:
        """Section 10.4."""
        b, t, o = outer
        a = L((3 * inner + 2 * b + 2 * t + o) >> 3)
        start = max((a >> 1) - 3, 0)
        part = min(abs(total - 256 * guess) >> 5, 3)
        p, q = (L(abs(256 * value - total) >> 6) for value in references)
        contexts = [
            (L(inner), min(L(b) >> 1, 7), kind),
            (a, part, kind),
            (L(o), q),
            (p, L(t)),
            (L(abs(total) >> 5), a),
        ]

        def greater(direction: str, length: int) -> int:
            node = (direction, length)
            keys = [("length", n, context, node) for n, context in enumerate(contexts)]
            return self.mixed(keys, ("length", kind, node), 20000)

        length = start
        if greater("first", length):
            length += 1
            while length < 22 and greater("up", length):
                length += 1
        else:
            while length > 0 and not greater("down", length - 1):
                length -= 1
        if length == 0:
            return 0
        magnitude = 1
        for n in range(length - 1):
            if n < 3:
                bit = self.alone("low", kind, length, min(max(start - length + 3, 0), 7), magnitude)
            else:
                bit = self.decoder.bit(32768)
            magnitude = 2 * magnitude + bit
        sides = [
            ((256 * value < total) != mirrored, min(log >> 1, 7))
            for value, log in zip(references, (p, q), strict=True)
        ]
        keys = [("sign", n, kind, part, key) for n, key in enumerate(((a,), (sides[0], a >> 1), tuple(sides)))]
        return -magnitude if self.mixed(keys, ("sign", kind, part), 24000) else magnitude


def inside(i: int, rank: int) -> Iterator[int]:
    """Which of -6 to 6 lead from component i to one that a stack has."""
    return (j for j in range(-6, 7) if 0 <= i + j < rank)


def cosine(one: Rows, other: Rows) -> int:
    """Section 10.2: the cosine of two components in 4096ths."""
    values, others = ([value for row in rows for value in row] for rows in (one, other))
    a, b = (min(isqrt(sum(value * value for value in flat)), 2**31 - 1) for flat in (values, others))
    d, n = sum(x * y for x, y in zip(values, others, strict=True)), a * b
    if n == 0:
        return 0
    return clip(d // (n >> 12) if n >= 2**40 else (d << 12) // n, -4096, 4096)
