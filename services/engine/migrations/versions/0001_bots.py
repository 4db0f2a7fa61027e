"""Bots and their immutable versions."""

from pathlib import Path

from alembic import op

from services.common.db import rls
from services.common.db.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Make the tables."""
    run_script(op, SQL / "tables.sql")
    for table in ("bots", "bot_versions", "bot_configs"):
        rls.protect(op, "engine", table)
    op.execute("REVOKE UPDATE ON engine.bot_versions FROM parley_app")


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TABLE engine.bot_configs, engine.bot_versions, engine.bots")
