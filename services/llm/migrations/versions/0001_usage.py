"""What models were used for whom."""

from pathlib import Path

from alembic import op

from services.common.db import rls
from services.common.db.scripts import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the function that writes it."""
    run_script(op, Path(__file__).parent.parent / "sql" / "usage.sql")
    rls.protect(op, "llm", "usage", relay=True)


def downgrade() -> None:
    """Not offered: what was used is not thrown away by a migration."""
    message = "0001 cannot be downgraded; restore a backup"
    raise RuntimeError(message)
