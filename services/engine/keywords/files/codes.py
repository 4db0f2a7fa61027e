"""QR CODE and SCAN BARCODE."""

import hashlib

from services.engine.files.documents.images import qr_code, read_codes
from services.engine.keywords.files.common import GROUP, documents, files, path_of, stored
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value, is_number, number_of, text_of

USUAL_SIDE = 300


async def made(world: World, arguments: Arguments) -> Value:
    """The picture."""
    data, size, out = text_of(arguments["data"]), arguments.get("size"), arguments.get("out")
    if out is None and size is not None and not is_number(size):
        size, out = None, size
    side = int(number_of(size, "a size in pixels")) if size is not None else USUAL_SIDE
    name = hashlib.sha256(f"{side} {data}".encode()).hexdigest()[:16]
    path = path_of(out) if out else f"qr/{name}.png"
    return await stored(world, path, await documents(world).run(qr_code, data, side))


async def scanned(world: World, arguments: Arguments) -> Value:
    """The text of the first code; None without any."""
    content = await files(world).read(world, path_of(arguments["image"]))
    found = await documents(world).run(read_codes, content)
    return found[0]["text"] if found else None


QR_CODE = Keyword(
    name="QR CODE",
    group=GROUP,
    summary="Makes a picture of a QR code; gives its path and an address.",
    forms=("QR CODE <data> [, <size>] [, <out>]",),
    effect=Effect.WRITE,
    example='code = QR CODE "https://example.com/order/7", 400, "codes/7.png"\nSEND FILE code',
    documentation="""The size is in pixels, 300 unless told. It gives an object: `path`, `url` (works for a day),
`uri`, `name`.""",
    aliases=("QRCODE", "QR_CODE", "GENERATE QR CODE"),
    permission="files.write",
    perform=made,
)
SCAN_BARCODE = Keyword(
    name="SCAN BARCODE",
    group=GROUP,
    summary="Reads the bar code or QR code in a picture; NULL when there is none.",
    forms=("SCAN BARCODE <image>",),
    effect=Effect.READ,
    example='TALK "Send a photo of the code"\nHEAR photo AS IMAGE\nTALK SCAN BARCODE photo',
    aliases=("SCAN_BARCODE", "SCAN QR CODE"),
    permission="files.read",
    perform=scanned,
)
