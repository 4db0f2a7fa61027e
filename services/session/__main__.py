"""python -m services.session"""

from services.common.service import run
from services.session.config import SessionSettings
from services.session.server import SessionService

if __name__ == "__main__":
    run(SessionService, SessionSettings)
