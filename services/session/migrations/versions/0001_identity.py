"""Identity: tenants, people, keys, tokens, the audit log."""

from pathlib import Path

from alembic import op

from services.common.db import requests, rls
from services.common.db.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
TABLES = ("tenants", "users", "external_identities", "visitors", "api_keys", "token_families", "refresh_tokens",
          "sign_in_failures", "signing_keys", "audit_log")  # fmt: skip
RELAYED = frozenset({"visitors", "token_families", "refresh_tokens", "sign_in_failures"})


def upgrade() -> None:
    """Make the tables, protect them, then the functions that cross tenants or are hot."""
    run_script(op, SQL / "identity_tables.sql")
    for table in TABLES:
        rls.protect(op, "session", table, relay=table in RELAYED)
    requests.make_table(op, "session")
    op.execute(f"REVOKE UPDATE, DELETE ON session.audit_log FROM {rls.APP}")
    run_script(op, SQL / "identity_functions.sql")


def downgrade() -> None:
    """Not offered: people are not thrown away by a migration."""
    message = "0001 cannot be downgraded; restore a backup"
    raise RuntimeError(message)
