"""What a whole output would have, estimated by coding a sample of its frames."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamvq.frames import Frame
from streamvq.media.opening import open_sink
from streamvq.media.sources.source import FrameSource
from streamvq.media.sources.treated import treated
from streamvq.options import CompressOptions
from streamvq.pipeline.alpha import treatment_for
from streamvq.pipeline.emission import emitted, naming_matched
from streamvq.pipeline.encode import encode_frames
from streamvq.pipeline.encode_job import encoder_of
from streamvq.pipeline.frame_sample import FrameSample
from streamvq.pipeline.job import Job
from streamvq.pipeline.result import StatsAccumulator
from streamvq.quantize.codebook import Codebook


@dataclass(frozen=True)
class Estimate:
    """What an output would have: bytes without audio, and PSNR (None: no error)."""

    size_bytes: float
    psnr_db: float | None


def estimate(sample: FrameSample, job: Job, codebook: Codebook | None, options: CompressOptions) -> Estimate:
    """What `job` would become with a codebook and options, by coding its sample.

    Where frames are coded by what they change of the one before, the first ones of the stretches, which follow frames
    that they have nothing to do with, are coded alone too: so the bytes of the others are known.
    """

    def coded(frames: Sequence[Frame], audio_from: Path | None = None) -> tuple[int, float | None, bool]:
        return _coded(sample.source(job.source.label, options.width, frames), job, codebook, options, audio_from)

    size, psnr, grouped = coded(sample.frames)
    firsts, total = sample.firsts(), sample.total
    if sample.audio_bytes is None:
        one = firsts[:1]
        sample.audio_bytes = coded(one, sample.audio_from)[0] - coded(one)[0] if sample.audio_from else 0
    if sample.is_whole:
        found: float = size
    elif grouped or len(firsts) == len(sample.frames):
        found = size * total / len(sample.frames)
    else:
        of_firsts = coded(firsts)[0]
        change = max(0, size - of_firsts) / (len(sample.frames) - len(firsts))
        found = of_firsts / len(firsts) + change * (total - 1)
    return Estimate(found + sample.audio_bytes, psnr)


def _coded(
    source: FrameSource, job: Job, codebook: Codebook | None, options: CompressOptions, audio_from: Path | None
) -> tuple[int, float | None, bool]:
    """The bytes and the PSNR of frames coded like those of the job, and whether they are coded in groups."""
    alpha = replace(treatment_for(job.target, codebook, options), note=None)
    settings = replace(naming_matched(codebook, options), progress=None, overwrite=False)
    with tempfile.TemporaryDirectory(prefix="streamvq-") as folder, treated(source, alpha) as frames:
        target = replace(job.target, path=Path(folder) / f"sample{job.target.path.suffix}")
        encoder = encoder_of(codebook, codebook and emitted(codebook, options), options, job, frames.info.pixels)
        with open_sink(target, encoder.decoder, frames.info, settings, audio_from, options.external_codebook) as sink:
            stats = StatsAccumulator()
            encode_frames(frames, frames.items(), encoder, sink, stats, settings)
            sink.finish()
        return sink.size_bytes, stats.psnr_db(), sink.group_size is not None and not sink.neighbors
