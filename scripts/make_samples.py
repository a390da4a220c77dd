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


def picture_before_after() -> None:
    """The README's picture: a photo, and the same with few colors and few gray levels."""
    from PIL import Image, ImageDraw

    photo = Image.open(SAMPLES / "photos" / "china.jpg").resize((480, 320), Image.Resampling.LANCZOS)
    photo.save(SAMPLES / "small.png")
    strip = Image.new("RGB", (3 * 480 + 2 * 8, 320 + 24), "white")
    cells = [("original", photo)]
    for title, *options in (
        ("--colors 16: 83 % fewer code bits", "-k", "16"),
        ("--gray --bits 3: 62.5 %", "--gray", "--bits", "3"),
    ):
        command = [sys.executable, "-m", "streamvq", "compress", str(SAMPLES / "small.png"), *options]
        subprocess.run([*command, "-o", str(SAMPLES / "out.png"), "-q", "-f"], check=True)
        cells.append((title, Image.open(SAMPLES / "out.png").convert("RGB")))
    for i, (title, picture) in enumerate(cells):
        strip.paste(picture, (i * 488, 24))
        ImageDraw.Draw(strip).text((i * 488 + 2, 4), title, "black", font_size=15)
    strip.save(SAMPLES / "before-after.png", optimize=True)
    for name in ("small.png", "out.png", "out.codebook.npz"):
        (SAMPLES / name).unlink()


if __name__ == "__main__":
    (SAMPLES / "photos").mkdir(parents=True, exist_ok=True)
    make_clip(sys.argv[1])
    copy_photos()
    draw_sprite()
    picture_before_after()
