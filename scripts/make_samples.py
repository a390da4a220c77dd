"""Make `samples/` anew from its sources (for maintainers; the samples are in the repository).

    python scripts/make_samples.py path/to/bigbuckbunny.mp4

needs the ffmpeg program, scikit-image and Pillow. See samples/README.md for sources and licences.
"""

import shutil
import subprocess
import sys
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
SPRITE = """
................
.....rrrrr......
....rrrrrrrrr...
....bbbsskss....
...bsbsssksss...
...bsbbsssksss..
...bbssssskkk...
.....sssssss....
....rrlrrr......
...rrrlrrlrrr...
..rrrrllllrrrr..
..ssrlyllylrss..
..ssslllllllss..
....lll..lll....
...bbb....bbb...
..bbbb....bbbb..
"""
PAINT = {".": (0, 0, 0, 0), "r": (217, 40, 32, 255), "b": (112, 72, 16, 255), "s": (252, 188, 120, 255)}
PAINT |= {"k": (24, 24, 24, 255), "l": (40, 80, 200, 255), "y": (248, 216, 48, 255)}


def make_clip(film: str) -> None:
    """Four seconds of film with audio, 480x270."""
    command = ["ffmpeg", "-v", "error", "-y", "-i", film, "-t", "4", "-vf", "scale=480:270:flags=lanczos"]
    command += ["-c:v", "libx264", "-crf", "20", "-preset", "veryslow", "-pix_fmt", "yuv420p"]
    command += ["-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", str(SAMPLES / "clip.mp4")]
    subprocess.run(command, check=True)


def copy_photos() -> None:
    """Photos that come with scikit-learn and scikit-image."""
    import skimage.data
    import sklearn.datasets

    for module, folder, names in (
        (sklearn.datasets, "images", ("china.jpg", "flower.jpg")),
        (skimage.data, "", ("camera.png", "chelsea.png", "rocket.jpg")),
    ):
        for name in names:
            shutil.copy(Path(module.__file__).parent / folder / name, SAMPLES / "photos" / name)


def draw_sprite() -> None:
    """A small picture with transparency."""
    from PIL import Image

    rows = SPRITE.split()
    sprite = Image.new("RGBA", (len(rows[0]), len(rows)))
    sprite.putdata([PAINT[letter] for row in rows for letter in row])
    sprite.resize((128, 128), Image.Resampling.NEAREST).save(SAMPLES / "photos" / "sprite.png")


if __name__ == "__main__":
    (SAMPLES / "photos").mkdir(parents=True, exist_ok=True)
    make_clip(sys.argv[1])
    copy_photos()
    draw_sprite()
