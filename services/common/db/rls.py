"""Row-level security, forced: a row of another tenant does not exist."""

from typing import Any

APP, RELAY = "parley_app", "parley_relay"
TENANT = "tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid)"


def protect(operations: Any, schema: str, table: str, *, relay: bool = False) -> None:  # noqa: ANN401 - alembic's op
    """Force row-level security on a table; with `relay` the sweeper's role sees the rows of all tenants.

    Without a tenant set the comparison is with NULL: no row is seen, none can be written.
    """
    name = f"{schema}.{table}"
    statements = [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {name} TO {APP} USING ({TENANT}) WITH CHECK ({TENANT})",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {APP}",
    ]
    if relay:
        statements += [
            f"CREATE POLICY relay ON {name} TO {RELAY} USING (true) WITH CHECK (true)",
            f"GRANT SELECT, UPDATE, DELETE ON {name} TO {RELAY}",
        ]
    for statement in statements:
        operations.execute(statement)


def open_schema(operations: Any, schema: str) -> None:  # noqa: ANN401 - alembic's op
    """Let the roles of the services use what a schema holds, now and later."""
    for role in (APP, RELAY):
        operations.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        operations.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}")
        operations.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT EXECUTE ON FUNCTIONS TO {role}")
        operations.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")
        operations.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {role}")
