"""Settings of the pages."""

from pathlib import Path

from services.common.config import Settings


class WebSettings(Settings):
    """default_bot: who answers at `/`; frame_ancestors: sites that may embed /chat/<bot> in a frame.

    s3_public_url: where the page sends files; empty when that is its own address.
    """

    default_bot: str = "hello"
    openapi_file: Path = Path("build/openapi.json")
    public_url: str = ""
    s3_public_url: str = ""
    frame_ancestors: str = "'self'"
