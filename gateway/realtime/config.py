"""Settings of the bridge."""

from pydantic import Field

from services.common.config import Settings


class RealtimeSettings(Settings):
    """Limits of a connection."""

    public_url: str = ""
    allowed_origins: str = Field(
        default="", description="further origins whose pages may embed the chat, comma-separated; * for all"
    )
    frame_bytes: int = Field(default=131_072, ge=1024, le=4_194_304)
    messages_per_minute: int = Field(default=240, ge=1)
    frames_per_minute: int = Field(default=1200, ge=1)
    buffer_bytes: int = Field(default=1_048_576, ge=65_536, description="unsent bytes at which a slow peer is let go")
    maximum_connections: int = Field(default=50_000, ge=1)
    first_frame_seconds: float = Field(default=10.0, gt=0)
    ping_seconds: float = Field(default=20.0, gt=0)
    pong_seconds: float = Field(default=20.0, gt=0, description="at most ping_seconds")

    def origins(self) -> frozenset[str]:
        """Origins a browser may come from beside the edge's own."""
        named = {item.strip().rstrip("/") for item in self.allowed_origins.split(",") if item.strip()}
        return frozenset(named | ({self.public_url.rstrip("/")} if self.public_url else set()))
