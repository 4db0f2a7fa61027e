"""What stands behind the ports of tables."""

from typing import Any

from services.common.db import requests
from services.common.service import Chassis
from services.engine.config import EngineSettings
from services.engine.schedule.events import StoredEvents
from services.engine.tables.events import TableEvents
from services.engine.tables.listing_sql import ListQueries
from services.engine.tables.port import Lists, Tables
from services.engine.tables.store import PostgresTables


def ports(chassis: Chassis, settings: EngineSettings) -> dict[Any, Any]:
    """Tables in the engine's database, lists in memory."""
    log = requests.RequestLog("engine", settings.page_token_secret)
    tables = PostgresTables(chassis.database, log, TableEvents(StoredEvents()))
    return {Tables: tables, Lists: ListQueries(tables)}
