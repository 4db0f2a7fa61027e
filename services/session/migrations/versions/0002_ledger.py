"""The ledger: sessions, messages, turns, outbox."""

from pathlib import Path

from alembic import op

from services.common.db import rls
from services.common.db.scripts import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
TABLES = (
    "user_sessions",
    "message_history",
    "message_keys",
    "session_wakeups",
    "turn_journal",
    "variables",
    "outbox",
    "tickets",
)
RELAYED = frozenset({"outbox", "session_wakeups", "user_sessions", "message_keys", "tickets"})
FILES = ("tables", "variables", "post_message", "claim_turn", "write_turn", "leases", "read_messages")


def upgrade() -> None:
    """Make the tables, then the functions that are their only hot path."""
    for name in FILES:
        run_script(op, SQL / f"{name}.sql")
    for table in TABLES:
        rls.protect(op, "session", table, relay=table in RELAYED)


def downgrade() -> None:
    """Not offered: a ledger is not thrown away by a migration."""
    message = "0002 cannot be downgraded; restore a backup"
    raise RuntimeError(message)
