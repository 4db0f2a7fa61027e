"""Pictures: opened within bounds, turned into another kind, codes made and read."""

import io
from typing import Any

from services.engine.program.values import ProgramError

MOST_PIXELS = 40_000_000
LARGEST_SIDE = 4_096
LONGEST_CODE = 2_000
FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "bmp": "BMP", "webp": "WEBP", "tif": "TIFF",
           "tiff": "TIFF"}  # fmt: skip
READ = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")


def opened_image(content: bytes) -> Any:  # noqa: ANN401 - Pillow's Image
    """A picture, turned as its camera says. ProgramError."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - heavy

    try:
        image = Image.open(io.BytesIO(content), formats=READ)
        if image.width * image.height > MOST_PIXELS:
            raise too_large()
        image.load()
        return ImageOps.exif_transpose(image)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        message = "this is no picture that can be read, or a damaged one; PNG, JPEG, GIF, BMP, WEBP and TIFF can be"
        raise ProgramError(message) from None


def convert_image(content: bytes, ending: str, width: int = 0) -> bytes:
    """The picture as another kind, no wider than width when that is given. ProgramError."""
    image = opened_image(content)
    if width and image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))))
    return saved(image, FORMATS[ending])


def pdf_of_image(content: bytes) -> bytes:
    """A page with the picture on it."""
    out = io.BytesIO()
    flat(opened_image(content)).save(out, "PDF")
    return out.getvalue()


def saved(image: Any, kind: str) -> bytes:  # noqa: ANN401
    """The file of a picture."""
    out = io.BytesIO()
    (flat(image) if kind in {"JPEG", "BMP"} else image).save(out, kind)
    return out.getvalue()


def flat(image: Any) -> Any:  # noqa: ANN401
    """Without transparency: what was transparent is white."""
    from PIL import Image  # noqa: PLC0415 - heavy

    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")


def qr_code(data: str, side: int = 300) -> bytes:
    """A QR code as PNG, about `side` pixels wide. ProgramError for too much text."""
    import segno  # noqa: PLC0415 - heavy

    if not data or len(data) > LONGEST_CODE:
        message = f"a QR code holds 1 to {LONGEST_CODE:,} characters"
        raise ProgramError(message)
    if not 50 <= side <= LARGEST_SIDE:
        message = f"the size of a QR code is 50 to {LARGEST_SIDE} pixels"
        raise ProgramError(message)
    try:
        code = segno.make(data, error="m", micro=False)
    except segno.DataOverflowError:
        message = "this is too much for a QR code"
        raise ProgramError(message) from None
    out = io.BytesIO()
    code.save(out, kind="png", scale=max(1, side // code.symbol_size(1)[0]), border=4)
    return out.getvalue()


def read_codes(content: bytes) -> list[dict[str, str]]:
    """{text, format} of the bar codes and QR codes in a picture, empty without any. ProgramError."""
    import zxingcpp  # noqa: PLC0415 - heavy

    image = flat(opened_image(content))
    found = zxingcpp.read_barcodes(image)
    return [{"text": code.text, "format": str(code.format).removeprefix("BarcodeFormat.")} for code in found]


def too_large() -> ProgramError:
    """Beyond the limit."""
    return ProgramError(f"the picture is too large: {MOST_PIXELS // 1_000_000} million pixels at most")
