"""python -m services.kb"""

from services.common.service import run
from services.kb.config import KbSettings
from services.kb.server import KbService

if __name__ == "__main__":
    run(KbService, KbSettings)
