"""Settings of the llm service."""

from pydantic import Field, SecretStr

from services.common.config import Settings


class LlmSettings(Settings):
    """What the llm service needs beside what every service needs. Seconds, unless said otherwise."""

    openai_base_url: str = Field(default="", description="OpenAI-compatible; empty with a key: OpenAI's own")
    openai_api_key: SecretStr | None = None
    openai_model: str = ""
    openai_embedding_model: str = ""
    llm_aliases: dict[str, str] = Field(default_factory=dict, description="JSON: alias -> provider/model")
    llm_connect_seconds: float = Field(default=5.0, gt=0)
    llm_first_token_seconds: float = Field(default=30.0, gt=0)
    llm_chunk_seconds: float = Field(default=20.0, gt=0, description="between two chunks of a stream")
    llm_piece_seconds: float = Field(default=0.03, ge=0, description="pieces that follow one another faster are joined")
    llm_answer_seconds: float = Field(default=120.0, gt=0, description="a whole answer")
    llm_repeat_seconds: int = Field(
        default=600, ge=1, description="how long Complete gives the first answer again to the same request_id"
    )
    llm_connections: int = Field(default=200, ge=1, description="to a provider")
    embedding_threads: int = Field(default=1, ge=1, le=16)
    embedding_cache_entries: int = Field(default=4096, ge=0, description="texts whose vectors are kept, 1.6 KB each")
    embedding_queue_texts: int = Field(default=4096, ge=1, description="texts that may wait for the local embedder")
    usage_queue_rows: int = Field(default=10_000, ge=1)
    usage_batch_seconds: float = Field(default=0.5, gt=0)
    usage_days: int = Field(default=400, ge=1, le=36_500, description="how long a row of `llm.usage` is kept")
    usage_purge_seconds: float = Field(default=3600.0, gt=0, description="between looks for rows that are too old")

    @property
    def has_openai(self) -> bool:
        """Whether completions of an OpenAI-compatible provider are configured."""
        return bool(self.openai_model and (self.openai_base_url or self.openai_api_key))

    @property
    def has_openai_embeddings(self) -> bool:
        """Whether embeddings of an OpenAI-compatible provider are configured."""
        return bool(self.openai_embedding_model and (self.openai_base_url or self.openai_api_key))
