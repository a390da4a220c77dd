"""The pictures of a group of frames as factors: a table of quantizer steps and ranks, and the coded components.

FORMAT.md, section 9, gives the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamvq.container.factors.coding import decode_stacks, encode_stacks
from streamvq.container.leb128 import Leb128Reader, leb128
from streamvq.errors import OutputError
from streamvq.frames import LowRankFrame, PlaneFactors
from streamvq.lowrank.codec import LowRankCodec
from streamvq.lowrank.factors import MAX_BITS, MAX_STEP, factor_shapes
from streamvq.lowrank.planes import plane_sizes

MAX_NUMBERS = 1 << 27  # of all factors of a group
FrameFactors = tuple[tuple[PlaneFactors, ...], int]  # the planes of a frame, and their quantizer step


def encode_factors(frames: Sequence[LowRankFrame]) -> bytes:
    """The factors of consecutive frames. Raises OutputError for factors that the format cannot hold."""
    table: list[bytes] = []
    for frame in frames:
        table.append(leb128(frame.step))
        for plane in frame.planes:
            table += [leb128(plane.rank), bytes(plane.bits)]
    head = b"".join(table)
    stacks = [[part for plane in frame.planes for part in (plane.left, plane.right)] for frame in frames]
    if sum(stack.size for each in stacks for stack in each) > MAX_NUMBERS:
        raise OutputError(f"frame {frames[0].index}: its factors have too many numbers for .svq; choose a lower rank")
    try:
        data = encode_stacks(stacks)
    except ValueError as error:
        raise OutputError(f"frame {frames[0].index}: {error}; choose a lower rank") from error
    return leb128(len(head)) + head + data


def decode_factors(data: bytes, sizes: Sequence[tuple[int, int]], codec: LowRankCodec) -> list[FrameFactors]:
    """The factors of frames of `sizes`, heights and widths in pixels. Raises ValueError with what is wrong."""
    payload = Leb128Reader(data)
    table = Leb128Reader(payload.take(payload.number()))
    heads, shapes, numbers = [], [], 0
    for height, width in sizes:
        step, bits, stacks = table.number(), [], []
        if not 1 <= step <= MAX_STEP:
            raise ValueError(f"a frame's step is {step}")
        for plane in plane_sizes(height, width, codec.space):
            left, right = factor_shapes(*plane, codec.patch)
            rank = table.number()
            if rank > min(left[0] * left[1], right[0] * right[1]):
                raise ValueError(f"it claims rank {rank} in a frame of {width}x{height}")
            numbers += rank * (left[0] * left[1] + right[0] * right[1])
            if numbers > MAX_NUMBERS:
                raise ValueError(f"it claims more than {MAX_NUMBERS} numbers")
            bits.append(tuple(table.take(rank)))
            if max(bits[-1], default=0) > MAX_BITS:
                raise ValueError(f"a component has {max(bits[-1])} binary places")
            stacks += [(rank, *left), (rank, *right)]
        heads.append((step, bits))
        shapes.append(stacks)
    if table.rest():
        raise ValueError("its table is too long")
    frames: list[FrameFactors] = []
    for (step, bits), parts in zip(heads, decode_stacks(payload.rest(), shapes), strict=True):
        planes = zip(parts[::2], parts[1::2], bits, strict=True)
        frames.append((tuple(PlaneFactors(*plane) for plane in planes), step))
    return frames
