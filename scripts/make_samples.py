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


def draw_badge() -> None:
    """A small picture with a soft shadow."""
    from PIL import Image, ImageDraw, ImageFilter

    badge, shadow = (Image.new("RGBA", (512, 512), (40, 0, 80, 0)) for _ in range(2))
    for picture, shift, alpha in ((shadow, 24, 200), (badge, 0, 255)):
        draw = ImageDraw.Draw(picture)
        for i, color in enumerate([(230, 60, 60), (60, 160, 230), (250, 200, 40)]):
            x, y = 60 + 90 * i + shift, 70 + 70 * i + shift
            draw.ellipse((x, y, x + 180, y + 180), fill=(*(color if picture is badge else (40, 0, 80)), alpha))
    shadow = shadow.filter(ImageFilter.GaussianBlur(20))
    shadow.alpha_composite(badge)
    shadow.resize((128, 128), Image.Resampling.LANCZOS).save(SAMPLES / "badge.png", optimize=True)


def animate() -> None:
    """The README's animated picture, by the command that stands under it."""
    import streamvq

    options = {"n_codes": 32, "lossy": 6, "trim": ":3", "fps": 12.5, "width": 400}
    streamvq.compress(SAMPLES / "clip.mp4", SAMPLES / "animation.webp", **options, overwrite=True)
    (SAMPLES / "animation.codebook.npz").unlink()


def show_dithers() -> None:
    """`samples/dither.png`: a photo in the 16 colors of the Commodore 64, without dither and with three."""
    from PIL import Image, ImageDraw

    import streamvq

    names = ("none", "blue-noise", "yliluoma", "floyd-steinberg")
    size = (288, 288)
    sheet = Image.new("P", (len(names) * (size[0] + 8) - 8, size[1] + 22), 1)
    for column, name in enumerate(names):
        part = SAMPLES / "panel.png"
        options = {"codebook": "preset:c64", "dither": name, "overwrite": True}
        streamvq.compress(SAMPLES / "photos" / "china.jpg", part, **options)
        with Image.open(part) as picture:
            sheet.putpalette(picture.getpalette())
            left = column * (size[0] + 8)
            sheet.paste(picture.crop((60, 70, 60 + size[0], 70 + size[1])), (left, 22))
            ImageDraw.Draw(sheet).text((left + 2, 2), name, 0, font_size=15)
        part.unlink()
    sheet.save(SAMPLES / "dither.png", optimize=True)


def show_stability() -> None:
    """`samples/stability.png`: a dithered frame, and what the next one changes, without stability and with."""
    import numpy as np
    from PIL import Image, ImageDraw

    import streamvq

    book, at, parts = streamvq.fit(SAMPLES / "clip.mp4", 16), 60, []
    for threshold in (0, 4):
        path = SAMPLES / "part.svq"
        options = {"dither": "floyd-steinberg", "stability": threshold, "overwrite": True}
        streamvq.apply(SAMPLES / "clip.mp4", book, path, **options)
        with streamvq.open(path) as clip:
            before, after = (clip.indices[index] for index in (at, at + 1))
        path.unlink()
        changed = before != after
        parts += [(book.lookup(after), "floyd-steinberg")] if not parts else []
        name = "changed by the next frame" + f", --stability {threshold}" * (threshold > 0)
        parts.append((np.where(changed, 255, 0).astype(np.uint8)[..., None].repeat(3, 2), name))
    height, width = parts[0][0].shape[:2]
    sheet = Image.new("RGB", (len(parts) * (width // 4 * 3 + 8) - 8, height + 22), "white")
    for column, (pixels, name) in enumerate(parts):
        left = column * (width // 4 * 3 + 8)
        sheet.paste(Image.fromarray(pixels).crop((width // 8, 0, width // 8 * 7, height)), (left, 22))
        ImageDraw.Draw(sheet).text((left + 2, 2), name, "black", font_size=15)
    sheet.quantize(32, dither=Image.Dither.NONE).save(SAMPLES / "stability.png", optimize=True)


if __name__ == "__main__":
    (SAMPLES / "photos").mkdir(parents=True, exist_ok=True)
    make_clip(sys.argv[1])
    copy_photos()
    draw_sprite()
    draw_badge()
    animate()
    show_dithers()
    show_stability()
