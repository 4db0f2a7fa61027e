CREATE TABLE channels.channels (
    tenant_id uuid NOT NULL,
    id varchar(63) NOT NULL,
    kind varchar(20) NOT NULL,
    bot varchar(63) NOT NULL,
    display_name varchar(255) NOT NULL DEFAULT '',
    enabled boolean NOT NULL,
    uri varchar(2048) NOT NULL DEFAULT '',
    public_token varchar(64) NOT NULL UNIQUE,
    revision integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);

-- Signing secrets, sealed. The newest signs; the others verify until they expire.
CREATE TABLE channels.secrets (
    tenant_id uuid NOT NULL,
    channel_id varchar(63) NOT NULL,
    number integer NOT NULL,
    sealed bytea NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, channel_id, number),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels.channels (tenant_id, id) ON DELETE CASCADE
);

-- What came in already, by the names the sender gave it: "w:<webhook-id>" and "m:<message id>".
CREATE TABLE channels.webhook_receipts (
    tenant_id uuid NOT NULL,
    channel_id varchar(63) NOT NULL,
    key varchar(260) NOT NULL,
    digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, channel_id, key),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels.channels (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_receipts_by_time ON channels.webhook_receipts (created_at);

CREATE TABLE channels.deliveries (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    channel_id varchar(63) NOT NULL,
    session_id uuid NOT NULL,
    payload bytea NOT NULL,                     -- session.v1.Delivery; empty once it is settled
    turn integer NOT NULL,                      -- with `ordinal` the order of the ledger
    ordinal integer NOT NULL,
    last_ordinal integer NOT NULL,
    state varchar(10) NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED')),
    held boolean NOT NULL DEFAULT false,        -- the one before it may be missing
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    last_status integer NOT NULL DEFAULT 0,
    last_error varchar(500) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels.channels (tenant_id, id) ON DELETE CASCADE
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX deliveries_newest ON channels.deliveries (tenant_id, channel_id, created_at DESC, id DESC);
CREATE INDEX deliveries_in_order ON channels.deliveries (tenant_id, channel_id, session_id, turn, ordinal);
CREATE INDEX deliveries_held ON channels.deliveries (created_at) WHERE held;
CREATE INDEX deliveries_open ON channels.deliveries (created_at) WHERE state = 'PENDING';
CREATE INDEX deliveries_settled ON channels.deliveries (updated_at) WHERE state <> 'PENDING';

-- A row a session that had a delivery: whoever holds its lease sends, one after the other. Every change of the
-- session's deliveries locks it first. due: when somebody should look, or the end of the lease; NULL: nothing waits.
CREATE TABLE channels.queues (
    tenant_id uuid NOT NULL,
    channel_id varchar(63) NOT NULL,
    session_id uuid NOT NULL,
    due timestamptz,
    lease uuid,
    PRIMARY KEY (tenant_id, channel_id, session_id),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES channels.channels (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX queues_due ON channels.queues (due) WHERE due IS NOT NULL;
CREATE INDEX queues_due_of_channel ON channels.queues (tenant_id, channel_id, due) WHERE due IS NOT NULL;
