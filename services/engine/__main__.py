"""python -m services.engine"""

from services.common.service import run
from services.engine.config import EngineSettings
from services.engine.server import EngineService

if __name__ == "__main__":
    run(EngineService, EngineSettings)
