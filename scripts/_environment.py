"""Make or reuse `.venv` with streamvq in it. Standard library only; Linux, macOS and Windows."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python_with(extras: str = "") -> str:
    """The interpreter of `.venv`, with streamvq and the named extras installed; pip runs only when needed."""
    if sys.version_info < (3, 11):
        sys.exit(f"streamvq needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    folder = ROOT / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"making {folder}", flush=True)
        venv.create(folder, with_pip=True)
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()).hexdigest()
    mark = folder / f"streamvq-installed-{extras or 'plain'}"
    if not mark.exists() or mark.read_text() != wanted:
        print("installing streamvq and what it needs (a minute or two, once)", flush=True)
        target = f"{ROOT}[{extras}]" if extras else str(ROOT)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--editable", target], check=True)
        mark.write_text(wanted)
    return str(python)


def run(*command: str) -> None:
    """Run a command in the project's folder, shown as it is; ends this program where it fails."""
    print("$", " ".join(command[1:]), flush=True)
    code = subprocess.run(command, cwd=ROOT).returncode
    if code:
        sys.exit(code)
