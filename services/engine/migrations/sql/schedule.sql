-- What starts scripts without a person. What scripts give is json, not jsonb, which refuses U+0000. A row of a published version is `declared`; others were set by scripts.
CREATE TABLE engine.schedules (
    tenant_id uuid NOT NULL,
    bot_id varchar(100) NOT NULL,
    id uuid NOT NULL,
    script varchar(200) NOT NULL,
    entry varchar(200) NOT NULL DEFAULT '',
    bot_version varchar(120) NOT NULL DEFAULT '',
    rule varchar(200) NOT NULL,
    zone varchar(64) NOT NULL DEFAULT 'UTC',
    declared boolean NOT NULL,
    variables json NOT NULL DEFAULT '{}',
    misfire varchar(10) NOT NULL DEFAULT 'once' CHECK (misfire IN ('once', 'skip', 'always')),
    grace_seconds integer NOT NULL DEFAULT 300,
    paused boolean NOT NULL DEFAULT false,
    next_at timestamptz,
    claimed_until timestamptz,
    last_at timestamptz,
    last_outcome varchar(20) NOT NULL DEFAULT '',
    last_session varchar(60) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, bot_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES engine.bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_schedules_due ON engine.schedules (next_at) WHERE next_at IS NOT NULL AND NOT paused;

-- A row outlives its declaration, so that a version that is taken back keeps its key.
CREATE TABLE engine.webhooks (
    tenant_id uuid NOT NULL,
    bot_id varchar(100) NOT NULL,
    name varchar(100) NOT NULL,
    script varchar(200) NOT NULL,
    entry varchar(200) NOT NULL DEFAULT '',
    bot_version varchar(120) NOT NULL DEFAULT '',
    declared boolean NOT NULL,
    keyless boolean NOT NULL DEFAULT false,
    chosen boolean NOT NULL DEFAULT false,
    secret bytea NOT NULL,
    former_secret bytea,
    former_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, bot_id, name),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES engine.bots (tenant_id, id) ON DELETE CASCADE
);

-- One call of a webhook: what came under a delivery's name, and what was answered.
CREATE TABLE engine.webhook_calls (
    tenant_id uuid NOT NULL,
    bot_id varchar(100) NOT NULL,
    webhook varchar(100) NOT NULL,
    delivery varchar(255) NOT NULL,
    id uuid NOT NULL,
    digest bytea NOT NULL,
    answer json,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, bot_id, webhook, delivery),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES engine.bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_webhook_calls_age ON engine.webhook_calls (created_at);

CREATE TABLE engine.event_rules (
    tenant_id uuid NOT NULL,
    bot_id varchar(100) NOT NULL,
    id uuid NOT NULL,
    event varchar(20) NOT NULL CHECK (event IN ('insert', 'update', 'delete', 'email', 'change', 'form', 'custom')),
    target varchar(255) NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',
    script varchar(200) NOT NULL,
    entry varchar(200) NOT NULL DEFAULT '',
    bot_version varchar(120) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, bot_id, id),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES engine.bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_event_rules_event ON engine.event_rules (tenant_id, bot_id, event);

-- Events that were written with what they tell of, and are to start a script each.
CREATE TABLE engine.pending_events (
    tenant_id uuid NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    bot_id varchar(100) NOT NULL,
    rule_id uuid NOT NULL,
    script varchar(200) NOT NULL,
    entry varchar(200) NOT NULL,
    bot_version varchar(120) NOT NULL,
    variables json NOT NULL,
    depth integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES engine.bots (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_pending_events_order ON engine.pending_events (number);
