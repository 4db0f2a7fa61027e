CREATE TABLE engine.bots (
    tenant_id uuid NOT NULL,
    id varchar(100) NOT NULL,
    display_name varchar(255) NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    live_version integer,
    migrate_version integer,
    revision integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);

-- A published version never changes: no UPDATE is granted.
CREATE TABLE engine.bot_versions (
    tenant_id uuid NOT NULL,
    bot_id varchar(100) NOT NULL,
    version integer NOT NULL,
    digest varchar(64) NOT NULL,
    scripts jsonb NOT NULL,
    config jsonb NOT NULL,
    system_prompt text NOT NULL,
    programs jsonb NOT NULL,
    diagnostics jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, bot_id, version),
    FOREIGN KEY (tenant_id, bot_id) REFERENCES engine.bots (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX idx_bot_versions_digest ON engine.bot_versions (tenant_id, bot_id, digest);

-- The mission's table: the configuration of the live version.
CREATE TABLE engine.bot_configs (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    bot_id varchar(100) NOT NULL,
    config jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, bot_id)
);
