"""How the work is done, and how outputs are written."""

from __future__ import annotations

from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options.formats import CODECS, FORMATS, OUTPUT_KINDS
from streamvq.options.pictures import AlphaOptions, BackgroundOption
from streamvq.options.reading import RateOption
from streamvq.options.values import CODEBOOK, DITHERS, EFFORTS, PACK_BITS, REPORT, WRITE, Source, parse_size
from streamvq.progress import Progress

# A table: an option is one line, or two where its help is long.
# fmt: off


class RunOptions(Options):
    """How the work is done; nothing here changes a byte of the result. `progress` is told of each stage."""

    jobs: int = option(REPORT, "-j --jobs", "Worker threads; 0 = all cores.", 0, default=0, changes="nothing")
    progress: Progress | None = None


class OverwriteOption(Options):
    """Whether outputs may replace files."""

    overwrite: bool = option(WRITE, "-f --overwrite", "Replace existing outputs.", default=False, changes="nothing")


class ExistingOptions(OverwriteOption):
    """What becomes of outputs that are there already."""

    skip_existing: bool = option(WRITE, "--skip-existing",
        "Leave out what is there, made with the same settings; reuse its codebook. With -f: make the rest anew.",
        default=False, changes="nothing")


class WriteOptions(ExistingOptions, RateOption, BackgroundOption):
    """How outputs are written, whatever they hold."""

    format: str | None = option(WRITE, "--format",
        f"File format inside an output folder: {' '.join(FORMATS)}; of -: svq raw.",
        choices=FORMATS, default=None, changes="file")
    animate: bool = option(WRITE, "--animate", "Write an animation into a .png.", default=False, changes="file")
    loop: int = option(WRITE, "--loop", "How often an animation plays; 0 = for ever.",
        0, 65535, default=0, changes="output")
    pack_bits: int | None = option(WRITE, "--pack-bits",
        "Bits an index in .raw and .h: 1 2 4 8 16 (the fewest that hold all codes).", default=None, changes="output")
    bit_order: str = option(WRITE, "--bit-order",
        "A byte's first index is in its highest bits (msb) or lowest (lsb).",
        choices=("msb", "lsb"), default="msb", changes="output")
    unpadded: bool = option(WRITE, "--unpadded",
        "Rows of packed indices follow each other bit by bit, not beginning with a byte.",
        default=False, changes="output")
    codec: str | None = option(WRITE, "--codec",
        "Of exact video: ffv1 (.mkv .avi, their default: fast, keeps alpha), x264 (.mkv .mp4 .mov: smaller; for VLC, "
        "mpv and FFmpeg, while browsers show wrong colors).",
        choices=tuple(CODECS), default=None, changes="output")
    effort: str = option(WRITE, "--effort",
        "Time spent on a smaller .svq, of the same pictures: fast (0.2 to 0.6 of the time of coding), default, max "
        "(3 to 4 times, for 0.7 to 0.97 of the bytes).",
        choices=tuple(EFFORTS), default="default", changes="output")
    crf: int = option(WRITE, "--crf", "Quality of preview videos; smaller is better.",
        0, 63, default=18, changes="output")

    def check(self) -> None:
        if self.pack_bits not in (None, *PACK_BITS):
            raise UsageError(f"`pack_bits={self.pack_bits}`: choose one of {', '.join(map(str, PACK_BITS))}")


class EncodeOptions(WriteOptions, AlphaOptions):
    """How outputs of `compress` and `apply` are written."""

    lossy: float = option(WRITE, "--lossy",
        "Keep the code of a neighbor or of the previous frame where it costs little: 0 (off) to 100.",
        0, 100, default=0, changes="output")
    stability: float = option(WRITE, "--stability",
        "Keep a code until its source has moved by so many levels since it was chosen: 0 (off) to 255. Three times "
        "the noise stops all flicker of still areas, dithered ones too.", 0, 255, default=0.0, changes="output")
    dither: str = option(CODEBOOK, "--dither",
        f"How pixels between the colors are drawn: {' '.join(DITHERS)}.",
        choices=DITHERS, default="none", changes="output")
    dither_strength: float = option(CODEBOOK, "--dither-strength", "0 (none) to 1 (all).",
        0, 1, default=1, changes="output")
    fit_gamut: bool = option(CODEBOOK, "--fit-gamut",
        "Move black, white and strong colors to what the colors can show, for e-paper and other dull palettes.",
        default=False, changes="output")
    emit_palette: Source | None = option(CODEBOOK, "--emit-palette",
        "Write this palette's colors at the same indices; PSNR is still that of the colors matched.",
        default=None, changes="output")
    strict: bool = option(CODEBOOK, "--strict",
        "Fail at the first pixel that is not exactly one of the colors.", default=False, changes="nothing")
    external_codebook: bool = option(WRITE, "--external-codebook",
        ".svq without the codebook inside; decompress needs -c.", default=False, changes="file")
    skip_if_larger: bool = option(WRITE, "--skip-if-larger",
        "Keep no output that is larger than its input (exit 98).", default=False, changes="nothing")
    max_size: int | str | None = option(WRITE, "--max-size",
        "The best output of at most so many bytes, 500kB or 2MB: with fewer colors, then more --lossy, then less "
        "--width; what is given of these stays (exit 98).", default=None, changes="nothing")
    min_psnr: float | None = option(WRITE, "--min-psnr",
        "The fewest colors for this PSNR, in dB; with -k, -c or --max-size it is only checked (exit 99).",
        default=None, changes="nothing")

    def check(self) -> None:
        if self.dither != "none" and self.lossy:
            raise UsageError("`dither` and `lossy` contradict each other: lossy smooths what dither draws")
        changes = [name for name in ("lossy", "stability", "fit_gamut") if getattr(self, name)]
        if self.strict and changes:
            raise UsageError(f"`strict` and `{changes[0]}` contradict each other: it chooses other colors")
        if self.max_bytes is not None and self.strict:
            raise UsageError("`strict` and `max_size` contradict each other: fewer colors are tried; drop one")
        if self.max_bytes is not None and self.skip_existing:
            raise UsageError("`max_size` and `skip_existing` contradict each other: the settings that made what "
                "is there are not known before the search; drop one")

    @property
    def max_bytes(self) -> int | None:
        """`max_size` in bytes. Raises UsageError."""
        return None if self.max_size is None else parse_size("max_size", self.max_size)

    @property
    def judged_by(self) -> list[str]:
        """The options by which a finished output may not be kept."""
        names = ("skip_if_larger", "min_psnr", "max_size")
        return [name for name in names if getattr(self, name) not in (None, False)]


class OutputOption(Options):
    """Where `compress` and `apply` write."""

    output: Source | None = option(WRITE, "-o --output",
        f"{OUTPUT_KINDS} Without it: INPUT's name with .svq, beside it.", default=None, kw_only=False, changes="file")
