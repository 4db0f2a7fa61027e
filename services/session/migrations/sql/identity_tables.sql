-- A tenant is its own tenant: tenant_id is its id, so that one row-level rule fits every table.
CREATE TABLE session.tenants (
    tenant_id uuid PRIMARY KEY,
    slug varchar(39) NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,38}$'),
    display_name varchar(255) NOT NULL DEFAULT '',
    operator boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX idx_tenants_operator ON session.tenants (operator) WHERE operator;

CREATE TABLE session.users (
    tenant_id uuid NOT NULL REFERENCES session.tenants,
    id uuid NOT NULL,
    email varchar(320) NOT NULL,
    email_key varchar(320) NOT NULL,
    display_name varchar(255) NOT NULL DEFAULT '',
    roles text[] NOT NULL,
    locale varchar(35) NOT NULL DEFAULT '',
    password_hash text NOT NULL DEFAULT '',
    password_expired boolean NOT NULL DEFAULT false,
    disabled boolean NOT NULL DEFAULT false,
    revision integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX idx_users_email ON session.users (tenant_id, email_key);

CREATE TABLE session.external_identities (
    tenant_id uuid NOT NULL,
    issuer varchar(512) NOT NULL,
    subject varchar(255) NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, issuer, subject),
    FOREIGN KEY (tenant_id, user_id) REFERENCES session.users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_external_identities_user ON session.external_identities (tenant_id, user_id);

CREATE TABLE session.visitors (
    tenant_id uuid NOT NULL REFERENCES session.tenants,
    id uuid NOT NULL,
    locale varchar(35) NOT NULL DEFAULT '',
    bot varchar(80) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE session.api_keys (
    tenant_id uuid NOT NULL REFERENCES session.tenants,
    id varchar(64) NOT NULL,
    digest bytea NOT NULL,
    display_name varchar(255) NOT NULL,
    roles text[] NOT NULL,
    scopes text[] NOT NULL DEFAULT '{}',
    created_by varchar(255) NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_use_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX idx_api_keys_newest ON session.api_keys (tenant_id, created_at DESC, id DESC);

-- One sign-in is one family. Tokens of its generation may be used; the first that is used begins the next generation.
CREATE TABLE session.token_families (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    subject varchar(255) NOT NULL,
    generation integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX idx_token_families_subject ON session.token_families (tenant_id, subject) WHERE revoked_at IS NULL;
CREATE INDEX idx_token_families_age ON session.token_families (expires_at);

CREATE TABLE session.refresh_tokens (
    tenant_id uuid NOT NULL,
    digest bytea NOT NULL,
    family_id uuid NOT NULL,
    generation integer NOT NULL DEFAULT 1,
    issued_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (tenant_id, digest),
    FOREIGN KEY (tenant_id, family_id) REFERENCES session.token_families (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX idx_refresh_tokens_family ON session.refresh_tokens (tenant_id, family_id, generation);
CREATE INDEX idx_refresh_tokens_age ON session.refresh_tokens (expires_at);

-- Attempts are counted before the password is looked at; addresses nobody has are counted alike.
CREATE TABLE session.sign_in_failures (
    tenant_id uuid NOT NULL,
    account bytea NOT NULL,
    attempts integer NOT NULL,
    last_attempt_at timestamptz NOT NULL,
    blocked_until timestamptz,
    PRIMARY KEY (tenant_id, account)
);
CREATE INDEX idx_sign_in_failures_age ON session.sign_in_failures (last_attempt_at);

-- Rows of the installation itself live under the tenant 00000000-0000-0000-0000-000000000000, which nobody belongs to.
CREATE TABLE session.signing_keys (
    tenant_id uuid NOT NULL,
    key_id varchar(64) NOT NULL,
    public_jwk text NOT NULL,
    private_sealed bytea NOT NULL,
    sealed_with bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    activate_at timestamptz NOT NULL,
    retire_at timestamptz,
    PRIMARY KEY (tenant_id, key_id)
);

CREATE TABLE session.audit_log (
    tenant_id uuid NOT NULL,
    seq bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor varchar(255) NOT NULL,
    action varchar(120) NOT NULL,
    resource varchar(255) NOT NULL,
    outcome varchar(20) NOT NULL,
    request_id varchar(64) NOT NULL,
    detail text NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);
