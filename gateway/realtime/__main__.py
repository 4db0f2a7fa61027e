"""python -m gateway.realtime"""

from gateway.realtime.config import RealtimeSettings
from gateway.realtime.server import RealtimeService
from services.common.service import run

if __name__ == "__main__":
    run(RealtimeService, RealtimeSettings)
