CREATE TABLE session.user_sessions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id varchar(255) NOT NULL,
    bot_id varchar(100) NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'ended', 'expired')),
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- ours
    bucket smallint NOT NULL,
    channel varchar(64) NOT NULL DEFAULT 'web',
    external_user varchar(255) NOT NULL DEFAULT '',
    roles text[] NOT NULL DEFAULT '{}',
    locale varchar(35) NOT NULL DEFAULT '',
    last_seq integer NOT NULL DEFAULT 0,
    input_seq integer NOT NULL DEFAULT 0,
    consumed_seq integer NOT NULL DEFAULT 0,
    turn integer NOT NULL DEFAULT 0,
    said integer NOT NULL DEFAULT 0,
    open_turn boolean NOT NULL DEFAULT false,
    epoch integer NOT NULL DEFAULT 0,
    lease_owner varchar(128),
    lease_token uuid,
    lease_until timestamptz,
    bot_version varchar(120) NOT NULL DEFAULT '',
    state bytea NOT NULL DEFAULT '',
    waiting varchar(10) NOT NULL DEFAULT 'none',
    wake_at timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX idx_sessions_user ON session.user_sessions (tenant_id, user_id, created_at DESC, id DESC);
CREATE INDEX idx_sessions_bot ON session.user_sessions (tenant_id, bot_id, created_at DESC, id DESC);
CREATE INDEX idx_sessions_newest ON session.user_sessions (tenant_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX idx_sessions_channel ON session.user_sessions (tenant_id, channel, bot_id, external_user)
    WHERE external_user <> '' AND status = 'active';

CREATE TABLE session.message_history (
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    seq integer NOT NULL CHECK (seq > 0),
    id uuid NOT NULL,
    role varchar(20) NOT NULL CHECK (role IN ('user', 'bot', 'system')),
    content text NOT NULL,
    tokens_used integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- ours
    turn integer NOT NULL DEFAULT 0,
    ordinal integer NOT NULL DEFAULT 0,
    request_id varchar(36) NOT NULL DEFAULT '',
    payload bytea,
    PRIMARY KEY (tenant_id, session_id, seq),
    FOREIGN KEY (tenant_id, session_id) REFERENCES session.user_sessions (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX idx_messages_id ON session.message_history (tenant_id, session_id, id);

-- What was posted already: "r:<subject>:<request id>" and "x:<channel>:<external id>".
CREATE TABLE session.message_keys (
    tenant_id uuid NOT NULL,
    key varchar(600) NOT NULL,
    session_id uuid NOT NULL,
    message_id uuid NOT NULL,
    seq integer NOT NULL DEFAULT 0,
    digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idx_message_keys_age ON session.message_keys (created_at);

-- When a session next needs somebody: a row per active session.
CREATE TABLE session.session_wakeups (
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    wake_at timestamptz NOT NULL,
    reason varchar(10) NOT NULL CHECK (reason IN ('input', 'timer', 'expiry')),
    PRIMARY KEY (tenant_id, session_id)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX idx_wakeups_due ON session.session_wakeups (wake_at);

CREATE TABLE session.turn_journal (
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    turn integer NOT NULL,
    key varchar(200) NOT NULL,
    kind varchar(64) NOT NULL,
    result bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, session_id, turn, key)
);

CREATE TABLE session.variables (
    tenant_id uuid NOT NULL,
    scope varchar(10) NOT NULL CHECK (scope IN ('bot', 'user', 'session', 'channel')),
    owner varchar(255) NOT NULL,
    key varchar(255) NOT NULL,
    value jsonb NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, scope, owner, key)
);

CREATE TABLE session.outbox (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    subject text NOT NULL,
    payload bytea NOT NULL,
    durable boolean NOT NULL DEFAULT true,
    hold boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX idx_outbox_age ON session.outbox (created_at, id);
CREATE INDEX idx_outbox_held ON session.outbox (created_at, id) WHERE hold;

CREATE TABLE session.tickets (
    tenant_id uuid NOT NULL,
    digest bytea NOT NULL,
    session_id uuid NOT NULL,
    subject varchar(255) NOT NULL,
    roles text[] NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX idx_tickets_age ON session.tickets (expires_at);
