"""What stands behind the ports of tables."""

from typing import Any

from services.common.db import requests
from services.common.service import Chassis
from services.engine.config import EngineSettings
from services.engine.keywords.agents.publishing import Publisher
from services.engine.schedule.events import StoredEvents
from services.engine.schedule.publishing import StoredPublisher
from services.engine.tables.anywhere import AnyTables
from services.engine.tables.connections import Connections
from services.engine.tables.events import TableEvents
from services.engine.tables.listing_sql import ListQueries
from services.engine.tables.outside import OutsideTables
from services.engine.tables.port import Lists, Tables
from services.engine.tables.store import PostgresTables


def ports(chassis: Chassis, settings: EngineSettings) -> dict[Any, Any]:
    """Tables in the engine's database, lists in memory."""
    log = requests.RequestLog("engine", settings.page_token_secret)
    events = StoredEvents()
    own = PostgresTables(chassis.database, log, TableEvents(events))
    connections = Connections(private=settings.private_databases, folder=settings.sqlite_folder)
    tables = AnyTables(own, OutsideTables(connections))
    publisher = StoredPublisher(chassis.database, log, events)
    return {Tables: tables, Lists: ListQueries(tables), Publisher: publisher}
