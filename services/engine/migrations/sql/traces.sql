-- What scripts did, step by step, of bots that ask for it: one row a turn. The steps are json, not jsonb, which refuses U+0000.
CREATE TABLE engine.traces (
    tenant_id uuid NOT NULL,
    bot_id varchar(100) NOT NULL,
    session_id uuid NOT NULL,
    turn integer NOT NULL,
    bot_version varchar(120) NOT NULL,
    steps json NOT NULL,
    dropped integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, session_id, turn),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES engine.bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_traces_created ON engine.traces (created_at);
