"""PostgreSQL: units of work, migrations, row-level security."""
