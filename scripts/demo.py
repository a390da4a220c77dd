"""Set everything up and do the main jobs on `samples/`: python3 scripts/demo.py"""

import shutil
import subprocess
import sys

from _environment import ROOT, python_with

OUT = ROOT / "demo-output"
JOBS = (
    "compress samples/clip.mp4 --block 4 -o demo-output/clip.svq",
    "decompress demo-output/clip.svq -o demo-output/clip.mkv",
    "compress samples/photos -k 32 -o demo-output/photos",
    "compress samples/photos/camera.png --gray --bits 3 -o demo-output/camera.png",
    "apply samples/photos/rocket.jpg -c demo-output/photos.codebook.npz -o demo-output/rocket.png",
    "info demo-output/photos.codebook.npz",
)


def main() -> None:
    python = python_with()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    for job in JOBS:
        print(f"\n$ streamvq {job}", flush=True)
        code = subprocess.run([python, "-m", "streamvq", *job.split()], cwd=ROOT).returncode
        if code:
            sys.exit(code)
    print("\nThe results are in demo-output/: open photos/china.png, camera.png and clip.mkv.")


if __name__ == "__main__":
    main()
