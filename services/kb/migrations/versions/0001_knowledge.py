"""Documents, their chunks, and what searches see."""

from pathlib import Path

from alembic import op

from services.common.db import requests, rls
from services.common.db.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
TABLES = ("bots", "kb_documents", "chunks")
RELAYED = frozenset({"kb_documents", "chunks"})


def upgrade() -> None:
    """Make the tables, then the functions."""
    for name in ("tables", "functions"):
        run_script(op, SQL / f"{name}.sql")
    for table in TABLES:
        rls.protect(op, "kb", table, relay=table in RELAYED)
    requests.make_table(op, "kb")


def downgrade() -> None:
    """Not offered: documents are not thrown away by a migration."""
    message = "0001 cannot be downgraded; restore a backup"
    raise RuntimeError(message)
