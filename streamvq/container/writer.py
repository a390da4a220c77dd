"""Writing a `.svq` file as a stream: bytes once written are never changed, so it can go into a pipe."""

from __future__ import annotations

from typing import IO

from streamvq.container import chunks
from streamvq.container.chunks import chunk_bytes, file_head
from streamvq.container.codebook_coding import encode_codes
from streamvq.container.groups import GroupBytes
from streamvq.container.header import Header
from streamvq.container.index import IndexEntry, index_chunks
from streamvq.container.pictures import pictures_of
from streamvq.container.share import SHARE, Share
from streamvq.options import CODERS
from streamvq.quantize.decoder import FrameDecoder

PARTS = ("header", "codebook", "frame tables", "alpha", "indices", "factors", "audio", "index")


def no_bytes(part: str) -> dict[str, int]:
    """0 for each of `PARTS` that a file can have whose pictures are `part`: either "indices" or "factors"."""
    absent = {"indices", "factors"} - {part}
    return {name: 0 for name in PARTS if name not in absent}


class SvqWriter:
    """Writes header, codebook, groups and audio to `stream`, which need not be seekable; then the index.

    The codebook of `decoder`, where it is one, is left out with `embed=False`: the header names it by its
    fingerprint. `parts` counts the bytes of each of `PARTS`, `size` all of them, `n_frames` the frames.
    """

    def __init__(self, stream: IO[bytes], header: Header, decoder: FrameDecoder, embed: bool = True) -> None:
        pictures = pictures_of(decoder)
        self._stream = stream
        self._entries: list[IndexEntry] = []
        self._picture_part = pictures.part
        self.parts = no_bytes(pictures.part)
        self.size = self.n_frames = 0
        embed = embed and pictures.codebook is not None
        version = chunks.VERSION if header.coder == CODERS[0] else chunks.CODER_VERSION
        self._write("header", file_head(version) + chunk_bytes(chunks.HEADER, header.to_json(embed)))
        if embed and pictures.codebook is not None:
            self._write("codebook", chunk_bytes(chunks.CODEBOOK, encode_codes(pictures.codebook)))

    def group(self, group: GroupBytes) -> None:
        """Write the next group."""
        data = chunk_bytes(chunks.GROUP, group.to_payload(self.n_frames))
        self._entries.append(IndexEntry(self.n_frames, group.n_frames, self.size))
        self.n_frames += group.n_frames
        self._write("frame tables", data)
        for part, count in (("alpha", group.alpha_bytes), (self._picture_part, group.picture_bytes)):
            self.parts[part] += count
            self.parts["frame tables"] -= count

    def audio(self, data: bytes) -> None:
        """Write the next piece of the audio file (FORMAT.md, section 6)."""
        self._write("audio", chunk_bytes(chunks.AUDIO, data))

    def share(self, share: Share) -> None:
        """Write which share of a run this file holds: behind all groups and audio."""
        self._write("index", chunk_bytes(SHARE, share.to_json()))

    def finish(self) -> None:
        """Write the index and the end."""
        self._write("index", index_chunks(self._entries, self.size))

    def _write(self, part: str, data: bytes) -> None:
        self._stream.write(data)
        self.parts[part] += len(data)
        self.size += len(data)
