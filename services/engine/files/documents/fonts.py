"""Noto Sans: Latin, Greek, Cyrillic, in four cuts; from a package, the same on every machine."""

import functools
import importlib
import io
from typing import Any

FAMILY = "NotoSans"
CUTS = {"": "Regular", "b": "Bold", "i": "Italic", "bi": "BoldItalic"}


@functools.cache
def font_file(cut: str = "") -> bytes:
    """A TrueType font. cut: "", "b", "i" or "bi"."""
    module = importlib.import_module(f"pymupdf_fonts.NotoSans_{CUTS[cut]}")
    return bytes(module.fontbuffer)


def picture_font(size: int, cut: str = "") -> Any:  # noqa: ANN401 - Pillow's FreeTypeFont
    """For drawing, in pixels."""
    from PIL import ImageFont  # noqa: PLC0415 - heavy

    return ImageFont.truetype(io.BytesIO(font_file(cut)), size)


@functools.cache
def register() -> str:
    """Make the family known to reportlab; its name."""
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - heavy
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    cuts = {cut: f"{FAMILY}-{name}" for cut, name in CUTS.items()}
    for cut, name in cuts.items():
        pdfmetrics.registerFont(TTFont(name, io.BytesIO(font_file(cut))))
    pdfmetrics.registerFontFamily(f"{FAMILY}-Regular", cuts[""], cuts["b"], cuts["i"], cuts["bi"])
    pdfmetrics.registerFontFamily(f"{FAMILY}-Bold", cuts["b"], cuts["b"], cuts["bi"], cuts["bi"])
    return FAMILY
