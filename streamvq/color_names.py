"""Colors as people write them."""

from __future__ import annotations

from streamvq.errors import UsageError

Color = tuple[int, int, int]  # R, G, B
_OPAQUE = 255


def parse_color(text: str) -> Color:
    """R, G and B of "#f00", "#ff0000", or a name of CSS. Raises UsageError, also where it is not opaque."""
    red, green, blue, alpha = parse_rgba(text)
    if alpha != _OPAQUE:
        raise UsageError(f"{text!r}: is not opaque, as it must be here; drop its alpha")
    return red, green, blue


def parse_rgba(text: str) -> tuple[int, int, int, int]:
    """R, G, B and alpha of a color as `parse_color` takes it, or of "#f008" or "#ff000080". Raises UsageError."""
    from PIL import ImageColor

    try:
        red, green, blue, alpha = (*ImageColor.getrgb(text), _OPAQUE)[:4]
    except ValueError:
        raise UsageError(
            f"{text!r}: no color; give one such as '#ff8000' or tomato (quoted, because of the #)"
        ) from None
    return red, green, blue, alpha


def color_name(color: Color) -> str:
    """A color for messages: its name, or else its number."""
    return {(0, 0, 0): "black", (255, 255, 255): "white"}.get(color, f"#{bytes(color).hex()}")
