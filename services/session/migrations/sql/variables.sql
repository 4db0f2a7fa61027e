-- Each key is a row: writers of different keys never meet; the last writer of one key wins.
CREATE FUNCTION session.merge_changes(
    p_tenant uuid, p_session uuid, p_bot text, p_user text, p_channel text,
    p_scopes text[], p_keys text[], p_values text[]
) RETURNS void LANGUAGE sql AS $$
    WITH changes AS (
        SELECT DISTINCT ON (c.scope, c.key) c.scope, c.key, c.value,
               CASE c.scope WHEN 'bot' THEN p_bot WHEN 'user' THEN p_user
                            WHEN 'session' THEN p_session::text ELSE p_channel END AS owner
        FROM unnest(p_scopes, p_keys, p_values) WITH ORDINALITY AS c (scope, key, value, position)
        ORDER BY c.scope, c.key, c.position DESC
    ), removed AS (
        DELETE FROM session.variables v USING changes c
        WHERE v.tenant_id = p_tenant AND v.scope = c.scope AND v.owner = c.owner AND v.key = c.key AND c.value IS NULL
    )
    INSERT INTO session.variables AS v (tenant_id, scope, owner, key, value)
    SELECT p_tenant, c.scope, c.owner, c.key, c.value::jsonb FROM changes c WHERE c.value IS NOT NULL
    ORDER BY c.scope, c.owner, c.key
    ON CONFLICT (tenant_id, scope, owner, key)
    DO UPDATE SET value = excluded.value, revision = v.revision + 1, updated_at = now();
$$;
