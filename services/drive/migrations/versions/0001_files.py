"""Files, objects to be removed, bytes used, requests answered."""

from pathlib import Path

from alembic import op

from services.common.db import requests, rls
from services.common.db.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Make the tables."""
    run_script(op, SQL / "tables.sql")
    for table in ("files", "garbage", "usage"):
        rls.protect(op, "drive", table, relay=True)
    requests.make_table(op, "drive")


def downgrade() -> None:
    """Not offered: files are not thrown away by a migration."""
    message = "0001 cannot be downgraded; restore a backup"
    raise RuntimeError(message)
