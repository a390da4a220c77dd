"""What can go wrong, as one tree; every error is also the builtin that fits it.

    StreamVQError
    ├── UsageError (ValueError)            the request contradicts itself [2]
    ├── InputMissing (FileNotFoundError)   no such file, or a folder or glob without images
    ├── MediaError (ValueError)            a file that cannot be decoded
    │   └── MediaDamaged                   it starts well and ends early
    ├── CodebookError (ValueError)         a codebook file that is not one, or does not fit
    └── OutputError (OSError)              the output cannot be written
        ├── OutputExists (FileExistsError)
        ├── LargerThanInput                it came out larger than the input, and that was not wanted [98]
        ├── LargerThanAsked                nothing that is tried is as small as was asked for [98]
        └── BelowQuality                   it came out below the PSNR that was asked for [99]

The command line exits with the number in brackets, with 1 where there is none.

Messages are one line: the file, the place in it, and what to try.
"""


class StreamVQError(Exception):
    """Base of every error that streamvq raises on purpose."""

    exit_code = 1  # of the command line


class UsageError(StreamVQError, ValueError):
    """The request contradicts itself: a value out of range, or an output that equals an input."""

    exit_code = 2


class InputMissing(StreamVQError, FileNotFoundError):
    """There is no such input."""


class MediaError(StreamVQError, ValueError):
    """A media file that cannot be decoded."""


class MediaDamaged(MediaError):
    """A media file that starts well and breaks off, or is corrupt further on."""


class CodebookError(StreamVQError, ValueError):
    """A codebook file that cannot be used."""


class OutputError(StreamVQError, OSError):
    """An output that cannot be written."""


class OutputExists(OutputError, FileExistsError):
    """The output is already there, and overwriting was not asked for."""


class LargerThanInput(OutputError):
    """The output is larger than the input; with `skip_if_larger` it is not kept."""

    exit_code = 98


class LargerThanAsked(OutputError):
    """No output is as small as `max_size`; none is kept."""

    exit_code = 98


class BelowQuality(OutputError):
    """The output's PSNR is below `min_psnr`; it is not kept."""

    exit_code = 99


def counted(number: int, thing: str) -> str:
    """A number of things: "1 frame", "2 frames"."""
    return f"{number} {thing}{'s' * (number != 1)}"


def bytes_text(count: int | None) -> str:
    """1234567 as "1.23 MB"."""
    if count is None:
        return "unknown size"
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{count} bytes" if unit == "bytes" else f"{size:.3g} {unit}" if size < 100 else f"{size:.0f} {unit}"


def codes_text(count: int, block: tuple[int, int]) -> str:
    """A number of codes for people: "1 color", "16 blocks of 8x4"."""
    return counted(count, "color") if block == (1, 1) else f"{counted(count, 'block')} of {block[1]}x{block[0]}"


def shortened(value: object, limit: int = 80) -> str:
    """A value out of a file, as messages show it: at most about `limit` characters of it."""
    text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
