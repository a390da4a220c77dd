"""What a part of a `.svq` file says of itself: which share of a run it holds (FORMAT.md, section 12)."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from streamvq.container.sketch_head import MAX_FAILED, MAX_SHARES

SHARE = b"shar"  # the type of its chunk
_MAX_ITEMS = 1 << 62
_MAX_LINE = 1000


@dataclass(frozen=True)
class Share:
    """Share `number` of `of`, of inputs with the digest `inputs`: `items` frames or images, from number `first` on.

    They were to be those up to `stop` - 1 (None: the end of the input), and are fewer where the input ended before.
    `unread` are the numbers, from 0 and within the share, of those that could not be read, and `failed` says why. A
    group consists of whole batches of `batch` frames.
    """

    number: int
    of: int
    inputs: str
    first: int = 0
    items: int = 0
    stop: int | None = None
    batch: int = 1
    unread: tuple[int, ...] = ()
    failed: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """UTF-8 JSON without what is empty."""
        failed = tuple(line[:_MAX_LINE] for line in self.failed[:MAX_FAILED])
        record = asdict(self) | {"failed": failed}
        return json.dumps(
            {name: value for name, value in record.items() if value != ()}, separators=(",", ":")
        ).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Share:
        """Parse and check. Raises ValueError with what is wrong."""
        try:
            record: dict[str, Any] = json.loads(data)
            unread = tuple(int(each) for each in record.get("unread", ()))
            failed = tuple(str(line)[:_MAX_LINE] for line in record.get("failed", ()))
            numbers = [record[name] for name in ("number", "of", "first", "items", "batch")]
            numbers += [record["stop"]] if record["stop"] is not None else []
            share = cls(**record | {"unread": unread, "failed": failed})
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"it lacks or garbles {error}") from error
        if any(type(each) is not int or not 0 <= each <= _MAX_ITEMS for each in numbers):
            raise ValueError("a number is out of range")
        if not (1 <= share.number <= share.of <= MAX_SHARES and share.batch):
            raise ValueError(f"it claims share {share.number} of {share.of}")
        if not re.fullmatch("[0-9a-f]{16}", str(share.inputs)) or len(failed) > MAX_FAILED:
            raise ValueError("its inputs are none")
        if any(not 0 <= each < share.items for each in unread) or len(set(unread)) < len(unread):
            raise ValueError("what could not be read is not in it")
        return share
