"""python -m gateway.web"""

from gateway.web.config import WebSettings
from gateway.web.server import WebService
from services.common.service import run

if __name__ == "__main__":
    run(WebService, WebSettings)
