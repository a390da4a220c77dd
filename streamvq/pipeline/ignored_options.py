"""Options that were given, and that change nothing for what was given with them: each is told in a line."""

from __future__ import annotations

from dataclasses import fields

from streamvq.frames import StreamInfo
from streamvq.media.targets import suffix_of
from streamvq.options import ANIMATION, IMAGE, CompressOptions, WriteOptions
from streamvq.pipeline.job import Job


def ignored_options(job: Job, info: StreamInfo, options: WriteOptions) -> list[str]:
    """A line for each option that has another value than its default, and no use for this job."""
    reasons = {
        "fps": _no_fps(job, info, isinstance(options, CompressOptions)),
        "codec": None if job.target.is_container else "it belongs to .mkv, .avi, .mp4 and .mov",
        "effort": None if job.target.format == "svq" else "it belongs to .svq",
        "crf": None if job.target.is_preview else "it belongs to .mp4, .mov and .webm that are previews",
        "loop": _no_loop(job),
        "animate": _no_animate(job),
    }
    if not isinstance(options, CompressOptions):
        reasons["background"] = None if job.target.alpha == "flatten" else "the output keeps transparency"
    else:
        learns = options.codebook is None and not options.stores_factors
        reasons |= {
            "effort": "factors have one effort" if options.stores_factors else reasons["effort"],
            "external_codebook": None if job.target.format == "svq" else "it belongs to .svq",
            "warmup": _no_warmup(job, learns),
            "seed": None if learns else "nothing is learned",
            "weight": None if learns else "nothing is learned",
            "stability": "a single image has no frame before it" if job.source.source_type == "image" else None,
        }
    packs = job.target.traits.packs_bits
    for name in ("pack_bits", "bit_order", "unpadded"):
        reasons[name] = None if packs else "it belongs to .raw and .h"
    defaults = {each.name: each.default for each in fields(options)}
    return [
        f"{job.target.path}: `{name}={value}` changes nothing here: {why}"
        for name, why in reasons.items()
        if why and (value := getattr(options, name)) != defaults[name] and str(value) != str(defaults[name])
    ]


def _no_fps(job: Job, info: StreamInfo, thins: bool) -> str | None:
    if info.fps is not None and thins:
        return None
    if not job.target.traits.has_times:
        return f"{suffix_of(job.target.format)} holds no times"
    if info.fps is not None:
        return f"{job.source.label} has a frame rate of its own ({float(info.fps):.6g}), which is kept"
    if job.target.format == "svq":
        return "a .svq of images has no frame rate; give it to decompress"
    return "images have no frame rate" if job.target.kind in ("image", "folder") else None


def _no_loop(job: Job) -> str | None:
    animated = job.target.kind == "file" and job.target.traits.family in (ANIMATION, IMAGE)
    return None if animated else "it belongs to .gif, .apng and .webp"


def _no_animate(job: Job) -> str | None:
    if job.target.format == "apng":
        return None
    return "a single image does not move" if job.target.format == "png" else "it belongs to .png"


def _no_warmup(job: Job, learns: bool) -> str | None:
    if job.source.source_type == "pipe":
        return None if learns else "nothing is learned"
    return "it belongs to pipes; all of a file is learned from"
