"""The codebook file: an `.npz` with the arrays `codes`, `meta` (JSON text), and `alpha` where codes have one."""

from __future__ import annotations

import io
import json
import os
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import CodebookError, shortened
from streamvq.options import MAX_BLOCK_SIDE, MAX_CODES, MAX_SAMPLES

FORMAT = "streamvq codebook"
_VERSION, _VERSION_WITH_ALPHA = 1, 2
_MAX_META_BYTES = 1 << 20
_JSON_TYPES: dict[type, str] = {list: "array", str: "string", dict: "object"}
_NOT_A_CODEBOOK = (  # what zipfile, zlib, json and NumPy's header parser raise on other people's files
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,  # also encryption, unknown compression, and JSON that is too deep
    SyntaxError,
    TypeError,
    ValueError,
)


class CodebookContent(NamedTuple):
    """What a codebook file holds, not checked any further: `Codebook` does that."""

    codes: NDArray[Any]
    space: str
    block: tuple[int, int]
    fingerprint: str
    provenance: Mapping[str, Any]
    names: Sequence[str] = ()
    matching: str = "rgb"
    reserved: Sequence[int] = ()
    alpha: NDArray[Any] | None = None


def codebook_to_bytes(content: CodebookContent) -> bytes:
    """The bytes of a codebook file; the same content gives the same bytes."""
    meta = {
        "format": FORMAT,
        "version": _VERSION if content.alpha is None else _VERSION_WITH_ALPHA,
        "space": content.space,
        "block": list(content.block),
        "fingerprint": content.fingerprint,
        "provenance": dict(content.provenance),
    }
    if content.names:
        meta["names"] = list(content.names)
    if content.matching != "rgb":
        meta["matching"] = content.matching
    if content.reserved:
        meta["reserved"] = list(content.reserved)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {"codes": content.codes, "meta": np.array(json.dumps(meta))}
    np.savez(buffer, **arrays if content.alpha is None else arrays | {"alpha": content.alpha})
    return buffer.getvalue()


def read_codebook_file(path: str | os.PathLike[str]) -> CodebookContent:
    """Read a codebook file. No pickle is ever loaded. Raises CodebookError with what is wrong."""
    try:
        with Path(path).open("rb") as file, zipfile.ZipFile(file) as archive:
            return _read_archive(archive)
    except FileNotFoundError as error:
        raise CodebookError(f"{path}: no such codebook; make one with `fit`") from error
    except OSError as error:
        raise CodebookError(f"{path}: cannot be read: {error.strerror or error}") from error
    except CodebookError as error:
        raise CodebookError(f"{path}: {error}") from error
    except _NOT_A_CODEBOOK as error:
        raise CodebookError(
            f"{path}: not a streamvq codebook (an .npz with 'codes' and 'meta'); make one with `fit`"
        ) from error


def _read_archive(archive: zipfile.ZipFile) -> CodebookContent:
    meta = json.loads(str(_read_array(archive, "meta", "U", _MAX_META_BYTES)))
    if meta.get("format") != FORMAT:
        raise KeyError("format")
    if meta.get("version") not in (_VERSION, _VERSION_WITH_ALPHA):
        raise CodebookError(
            f"codebook format version {shortened(meta.get('version'))}; this streamvq reads {_VERSION_WITH_ALPHA}: "
            "upgrade it"
        )
    codes = _read_array(archive, "codes", "uf", MAX_SAMPLES * np.dtype(np.float64).itemsize)
    if codes.dtype.kind == "f" and not np.isfinite(codes).all():
        raise CodebookError("its codes hold NaN or infinity; make it anew with `fit`")
    block, fingerprint = _field(meta, "block", list), _field(meta, "fingerprint", str)
    if len(block) != 2 or not all(type(side) is int and 1 <= side <= MAX_BLOCK_SIDE for side in block):
        raise CodebookError(f"its block is {shortened(block)}: two sides of 1 to {MAX_BLOCK_SIDE} belong there")
    provenance = _field({"provenance": {}} | meta, "provenance", dict)
    names = _field({"names": []} | meta, "names", list)
    matching = _field({"matching": "rgb"} | meta, "matching", str)
    reserved = _field({"reserved": []} | meta, "reserved", list)
    space = _field(meta, "space", str)
    alpha = _read_array(archive, "alpha", "u", MAX_CODES) if meta["version"] == _VERSION_WITH_ALPHA else None
    return CodebookContent(
        codes, space, (block[0], block[1]), fingerprint, provenance, names, matching, reserved, alpha
    )


def _field(meta: dict[str, Any], name: str, of_type: type) -> Any:
    value = meta[name]
    if type(value) is not of_type:
        raise CodebookError(f"its {name} is {shortened(json.dumps(value))}, not a JSON {_JSON_TYPES[of_type]}")
    return value


def _read_array(archive: zipfile.ZipFile, name: str, dtype_kinds: str, max_bytes: int) -> NDArray:
    """One array of an `.npz`, its declared size checked before any memory is allocated for it."""
    with archive.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):
            raise ValueError(f"array header version {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
        if dtype.kind == "O":
            raise CodebookError(f"'{name}' is a pickled object, and pickles are never loaded")
        size = dtype.itemsize
        for extent in shape:
            size *= extent
        if (
            dtype.kind not in dtype_kinds
            or not 0 <= size <= max_bytes
            or min(shape, default=0) < 0
            or (fortran and len(shape) > 1)
        ):
            raise CodebookError(f"'{name}' is {shortened(dtype)} of shape {shortened(shape)}, which no codebook has")
        data = member.read(size + 1)
    if len(data) != size:
        raise CodebookError(f"'{name}' holds {len(data)} bytes where {size} are announced: the file is damaged")
    return np.frombuffer(data, dtype).reshape(shape)
