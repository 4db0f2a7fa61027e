"""Settings of the kb service."""

from pathlib import Path

from pydantic import Field, SecretStr

from services.common.config import Settings


class KbSettings(Settings):
    """What the kb service needs beside what every service needs. Seconds, unless said otherwise."""

    data_dir: Path = Field(description="where the local index is; it can be thrown away, PostgreSQL is the truth")
    qdrant_url: str = Field(default="", description="a Qdrant cluster instead of the local index")
    qdrant_api_key: SecretStr | None = None
    qdrant_collection: str = "parley_kb"
    kb_embedding_model: str = Field(
        default="local/multilingual-e5-small",
        max_length=200,
        description="its own name, no alias; when it changes, documents are embedded anew in the background",
    )
    kb_embedding_dimensions: int = Field(default=384, ge=8, le=8192)
    kb_similarity_floor: float = Field(default=0.833, ge=-1, le=1, description="see docs/architecture/knowledge.md")
    kb_cache_seconds: int = Field(default=3600, ge=1)
    kb_lease_seconds: float = Field(
        default=60.0, gt=0, description="how long an import may be silent before another try"
    )
    kb_poll_seconds: float = Field(default=1.0, gt=0, description="between looks for forgotten imports")
    kb_attempts: int = Field(default=8, ge=1, description="tries of an import before it is given up")
    kb_retry_seconds: float = Field(default=1.0, gt=0, description="before the second try; doubles, 60 at most")
    kb_largest_file_bytes: int = Field(default=16 * 1024 * 1024, ge=1)
    kb_reconcile_seconds: float = Field(default=3600.0, gt=0, description="between comparisons of index and PostgreSQL")
    kb_orphan_seconds: float = Field(
        default=600.0, ge=0, description="age from which a point no document has is removed"
    )
