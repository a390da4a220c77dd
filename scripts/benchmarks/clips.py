"""Pictures and clips that are drawn, for kinds of content that samples/ does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image, ImageDraw

SIZE = 1280, 720
RATE = 25


def write_exact(path: Path, frames: Iterable[np.ndarray]) -> Path:
    """RGB frames as FFV1."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=RATE)
        for number, frame in enumerate(frames):
            if not number:
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "bgr0"
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(stream.encode())
    return path


def cartoon(path: Path, count: int = 120) -> Path:
    """A smooth cartoon: clouds and hills that pass at three speeds, a ball that bounces, flat colors, soft edges."""
    return write_exact(path, cartoon_frames(count))


def cartoon_frames(count: int) -> Iterator[np.ndarray]:
    width, height = SIZE
    sky = np.linspace((92, 160, 225), (214, 234, 248), height)[:, None].repeat(width, axis=1)
    x = np.arange(width)
    for number in range(count):
        picture = np.rint(sky).astype(np.uint8)
        for at, (left, top) in enumerate(((100, 90), (520, 150), (930, 70))):
            center = int((left + (2 + at) * number) % (width + 300)) - 150
            for dx, dy, radius in ((0, 0, 60), (60, 12, 45), (-60, 14, 42), (20, -28, 44)):
                cv2.circle(picture, (center + dx, top + dy), radius, (250, 250, 252), -1, cv2.LINE_AA)
        for layer, (color, speed) in enumerate((((120, 180, 110), 1), ((86, 150, 84), 3), ((54, 112, 62), 6))):
            tops = 430 + 90 * layer + 50 * np.sin((x + speed * number) / (150 - 30 * layer) + layer)
            ground = np.stack([x, tops], axis=1)
            outline = np.rint(np.vstack([ground, [[width, height], [0, height]]]) * 16).astype(np.int32)
            cv2.fillPoly(picture, [outline], color, cv2.LINE_AA, shift=4)
        ball = int(200 + 6 * number) % (width + 120) - 60, int(560 - 220 * abs(np.sin(number / 11)))
        cv2.circle(picture, ball, 48, (30, 30, 36), -1, cv2.LINE_AA)
        cv2.circle(picture, ball, 43, (231, 76, 60), -1, cv2.LINE_AA)
        cv2.circle(picture, (ball[0] - 14, ball[1] - 14), 12, (246, 176, 168), -1, cv2.LINE_AA)
        yield picture


def screen_recording(path: Path, seconds: int = 20, size: tuple[int, int] = SIZE) -> Path:
    """Typing, a pointer, a dialog with a bar that fills, and scrolling."""
    return write_exact(path, screen_frames(RATE * seconds, size))


def screen_frames(count: int, size: tuple[int, int]) -> Iterator[np.ndarray]:
    width, height = size
    rng = np.random.default_rng(3)
    words = ("def", "compress", "frames", "of", "a", "video", "into", "one", "palette", "with", "exact", "indices")
    page = Image.new("RGB", size, (250, 250, 250))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, width, 40), fill=(52, 73, 94))
    draw.rectangle((0, 40, 180, height), fill=(236, 240, 241))
    for line in range(12):
        draw.text((10, 60 + 30 * line), f"item {line} {words[line]}", fill=(30, 30, 60), font_size=14)
    x, y = 200, 60
    for number in range(count):
        if number % 3 == 0:
            word = words[int(rng.integers(len(words)))]
            if x + 9 * len(word) > width - 60:
                x, y = 200, y + 22
            if y > height - 60:  # scroll by two lines
                page.paste(page.crop((185, 94, width, height)), (185, 50))
                y -= 44
                ImageDraw.Draw(page).rectangle((185, y, width, height), fill=(250, 250, 250))
            color = [(0, 0, 0), (192, 57, 43), (41, 128, 185), (39, 174, 96)][int(rng.integers(4))]
            ImageDraw.Draw(page).text((x, y), word, fill=color, font_size=14)
            x += 9 * len(word)
        shot = page.copy()
        draw = ImageDraw.Draw(shot)
        left, top = int(500 + 300 * np.sin(number / 9)), int(350 + 200 * np.cos(number / 7))
        draw.polygon([(left, top), (left + 12, top + 12), (left + 5, top + 13), (left, top + 18)], fill=(0, 0, 0))
        if 20 < number % 100 < 60:
            draw.rectangle((450, 250, 800, 430), fill=(255, 255, 255), outline=(100, 100, 100))
            draw.rectangle((470, 300, 470 + 7 * (number % 100 - 20), 320), fill=(46, 204, 113))
        yield np.asarray(shot)


def scrolling_windows(count: int = 60) -> Iterator[np.ndarray]:
    """A desktop at 1280x720: a window of text that scrolls, one that moves, a pointer."""
    draw_random = np.random.default_rng(3)
    lines = ["".join(draw_random.choice(list("abcdefghijklmnop  ,.;()="), 90)) for _ in range(120)]
    for i in range(count):
        image = Image.new("RGB", (1280, 720), (58, 110, 165))
        draw = ImageDraw.Draw(image)
        draw.rectangle((40, 30, 760, 690), (250, 250, 250), (90, 90, 90))
        for row in range(35):
            draw.text((48, 60 + 18 * row), lines[row + i // 6], (30 + 40 * (row % 4), 30, 120))
        draw.rectangle((40, 30, 760, 54), (60, 90, 150))
        left = 800 + 3 * min(i, 40)
        draw.rectangle((left, 100, left + 300, 400), (236, 236, 236), (0, 0, 0))
        for row in range(16):
            draw.text((left + 20, 120 + 16 * row), lines[60 + row][:40], (10, 10, 10))
        x, y = 300 + 7 * i, 200 + 5 * i
        draw.polygon([(x, y), (x, y + 18), (x + 12, y + 12)], (255, 255, 255), (0, 0, 0))
        yield np.asarray(image)


def pixel_art(count: int = 60) -> Iterator[np.ndarray]:
    """A tile map at 320x240 that scrolls, with sprites on it."""
    random = np.random.default_rng(5)
    palette = random.integers(0, 256, (32, 3)).astype(np.uint8)
    tiles = np.repeat(np.repeat(random.integers(0, 32, (12, 8, 8)), 2, axis=1), 2, axis=2)
    tiles[0] = 3
    rows = random.integers(0, 12, (15, 40)) * random.integers(0, 2, (15, 40))
    world = np.block([[tiles[tile] for tile in row] for row in rows])
    sprites = random.integers(0, 32, (6, 24, 16))
    for i in range(count):
        view = world[:, 2 * i : 2 * i + 320].copy()
        for s, sprite in enumerate(sprites):
            x, y = (50 * s + i * (s + 1)) % 304, (33 * s + i) % 216
            view[y : y + 24, x : x + 16] = sprite
        yield palette[view]


def still_camera(count: int = 60) -> Iterator[np.ndarray]:
    """A still picture with a little sensor noise and one thing that moves."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:360, :640]
    still = np.stack([90 + 50 * np.sin(x / 90), 100 + 40 * np.cos(y / 60), 80 + 60 * np.sin((x + y) / 140)], axis=2)
    still += 25 * ((x // 40 + y // 30) % 2)[..., None]
    for i in range(count):
        picture = still.copy()
        picture[200:300, 20 + 8 * i : 60 + 8 * i] = (60, 20, 30)
        yield np.clip(np.rint(picture + random.normal(0, 1.5, picture.shape)), 0, 255).astype(np.uint8)
