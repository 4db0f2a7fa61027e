"""${message}"""

from alembic import op

from services.common.db import rls

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Make the tables and rls.protect() each of them."""
    ${upgrades if upgrades else 'raise NotImplementedError'}


def downgrade() -> None:
    """Undo it, or say why it cannot be undone."""
    ${downgrades if downgrades else 'raise NotImplementedError'}
