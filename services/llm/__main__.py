"""python -m services.llm"""

from services.common.service import run
from services.llm.config import LlmSettings
from services.llm.server import LlmService

if __name__ == "__main__":
    run(LlmService, LlmSettings)
