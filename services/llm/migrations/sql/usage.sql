CREATE TABLE llm.usage (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    bot varchar(80) NOT NULL DEFAULT '',
    subject varchar(255) NOT NULL DEFAULT '',
    model varchar(255) NOT NULL,
    operation varchar(20) NOT NULL,
    outcome varchar(40) NOT NULL,
    input_tokens integer NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
    output_tokens integer NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
    milliseconds integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX usage_by_time ON llm.usage (tenant_id, created_at);
CREATE INDEX usage_by_age ON llm.usage (created_at);

-- Sets the tenant itself, so that a batch is one round trip; row-level security still decides.
CREATE FUNCTION llm.write_usage(p_tenant uuid, p_rows jsonb) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    INSERT INTO llm.usage (tenant_id, id, bot, subject, model, operation, outcome, input_tokens, output_tokens,
                           milliseconds, created_at)
    SELECT p_tenant, (r->>'id')::uuid, r->>'bot', r->>'subject', r->>'model', r->>'operation', r->>'outcome',
           (r->>'input_tokens')::integer, (r->>'output_tokens')::integer, (r->>'milliseconds')::integer,
           to_timestamp((r->>'at')::double precision)
    FROM jsonb_array_elements(p_rows) AS r
    ON CONFLICT DO NOTHING;
END
$$;

-- For the role of the sweepers: some of the oldest rows of all tenants; how many are gone.
CREATE FUNCTION llm.purge_usage(p_days integer, p_rows integer) RETURNS bigint
LANGUAGE sql SECURITY INVOKER AS $$
    WITH gone AS (
        DELETE FROM llm.usage WHERE (tenant_id, id) IN (
            SELECT tenant_id, id FROM llm.usage WHERE created_at < now() - make_interval(days => p_days)
            ORDER BY created_at LIMIT p_rows)
        RETURNING 1)
    SELECT count(*) FROM gone;
$$;
