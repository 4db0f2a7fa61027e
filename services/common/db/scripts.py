"""SQL files of many statements, for migrations: functions read better in a file of their own."""

from pathlib import Path
from typing import Any


def run_script(operations: Any, path: Path) -> None:  # noqa: ANN401 - alembic's op
    """Run every statement of a file in the migration's transaction.

    Goes round SQLAlchemy's prepared statements, which take one statement each, to asyncpg's simple protocol.
    """
    connection = operations.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(path.read_text()))
