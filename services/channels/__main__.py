"""python -m services.channels"""

from services.channels.config import ChannelsSettings
from services.channels.server import ChannelsService
from services.common.service import run

if __name__ == "__main__":
    run(ChannelsService, ChannelsSettings)
