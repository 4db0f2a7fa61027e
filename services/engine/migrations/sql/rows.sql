-- Rows of all tables of all bots. What their fields are is said by the version of the bot that looks at them.
CREATE TABLE engine.table_rows (
    tenant_id uuid NOT NULL,
    bot_id varchar(100) NOT NULL,
    table_name varchar(63) NOT NULL,
    id varchar(255) COLLATE "C" NOT NULL,
    unique_key text COLLATE "C",
    data jsonb NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    version integer NOT NULL DEFAULT 1,
    created_by varchar(255) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, bot_id, table_name, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES engine.bots (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX idx_table_rows_key ON engine.table_rows (tenant_id, bot_id, table_name, unique_key);
CREATE INDEX idx_table_rows_order ON engine.table_rows (tenant_id, bot_id, table_name, place);
