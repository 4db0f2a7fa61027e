"""Bots and their immutable versions."""

from pathlib import Path

from alembic import op

from services.common.db import requests, rls
from services.common.db.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FUNCTIONS = """moment_in likeness trigrams holds_within fits ordered text_of same is_true number_in
number_in_text is_nothing""".split()
SQL = Path(__file__).parent.parent / "sql"
SCHEDULE = ("schedules", "webhooks", "webhook_calls", "event_rules", "pending_events")


def upgrade() -> None:
    """Make the tables."""
    run_script(op, SQL / "tables.sql")
    run_script(op, SQL / "rows.sql")
    run_script(op, SQL / "tables_functions.sql")
    for table in ("bots", "bot_versions", "bot_configs", "table_rows"):
        rls.protect(op, "engine", table)
    requests.make_table(op, "engine")
    op.execute("REVOKE UPDATE ON engine.bot_versions FROM parley_app")
    run_script(op, SQL / "schedule.sql")
    run_script(op, SQL / "traces.sql")
    for table in (*SCHEDULE, "traces"):
        rls.protect(op, "engine", table, relay=True)


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TABLE engine.table_rows, engine.traces")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION engine.{function}")
    op.execute("DROP TABLE engine.requests")
    op.execute(f"DROP TABLE {', '.join(f'engine.{table}' for table in SCHEDULE)}")
    op.execute("DROP TABLE engine.bot_configs, engine.bot_versions, engine.bots")
