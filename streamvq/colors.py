"""Colors as people write them."""

from __future__ import annotations

from streamvq.errors import UsageError

Color = tuple[int, int, int]  # R, G, B


def parse_color(text: str) -> Color:
    """R, G and B of "#f00", "#ff0000", or a name of CSS. Raises UsageError."""
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError:
        raise UsageError(
            f"{text!r}: no color; give one such as '#ff8000' or tomato (quoted, because of the #)"
        ) from None
    return red, green, blue


def color_name(color: Color) -> str:
    """A color for messages: its name, or else its number."""
    return {(0, 0, 0): "black", (255, 255, 255): "white"}.get(color, f"#{bytes(color).hex()}")
