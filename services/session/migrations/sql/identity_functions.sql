-- The three questions asked across tenants. Each runs as the owner of the schema, whom a SELECT policy lets read
-- session.tenants and the audit log of one tenant at a time, and answers no more than it is named for.
CREATE POLICY owner_reads_tenants ON session.tenants FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY owner_reads_audit ON session.audit_log FOR SELECT TO CURRENT_USER
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));

CREATE FUNCTION session.tenant_of_slug(p_slug text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT t.tenant_id FROM session.tenants t WHERE t.slug = p_slug
$$;

-- Only while the caller works for the operator's tenant.
CREATE FUNCTION session.tenants_after(p_slug text, p_limit integer)
RETURNS TABLE (tenant_id uuid, slug varchar, display_name varchar, operator boolean, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT t.tenant_id, t.slug, t.display_name, t.operator, t.created_at FROM session.tenants t
    WHERE t.slug > p_slug AND EXISTS (
        SELECT FROM session.tenants o
        WHERE o.operator AND o.tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
    ORDER BY t.slug LIMIT p_limit
$$;

CREATE FUNCTION session.tenant_for_operator(p_tenant uuid)
RETURNS TABLE (tenant_id uuid, slug varchar, display_name varchar, operator boolean, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT t.tenant_id, t.slug, t.display_name, t.operator, t.created_at FROM session.tenants t
    WHERE t.tenant_id = p_tenant AND EXISTS (
        SELECT FROM session.tenants o
        WHERE o.operator AND o.tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
$$;

-- A visitor, the family and its first refresh token: one round trip.
CREATE FUNCTION session.sign_in_visitor(
    p_tenant uuid, p_visitor uuid, p_locale text, p_bot text, p_family uuid, p_digest bytea, p_lifetime interval
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    INSERT INTO session.visitors (tenant_id, id, locale, bot) VALUES (p_tenant, p_visitor, p_locale, p_bot);
    INSERT INTO session.token_families (tenant_id, id, subject, expires_at)
    VALUES (p_tenant, p_family, 'visitors/' || p_visitor, now() + p_lifetime);
    INSERT INTO session.refresh_tokens (tenant_id, digest, family_id, expires_at)
    VALUES (p_tenant, p_digest, p_family, now() + p_lifetime);
END $$;

-- Whether the use of a refresh token is the repetition of one whose answer may have been lost: it is the one that was
-- used last, not long ago, and nothing that was made of it has been used. 32 lost answers are believed.
CREATE FUNCTION session.repeats_refresh(
    p_family session.token_families, p_token session.refresh_tokens, p_repeat interval
) RETURNS boolean LANGUAGE sql AS $$
    SELECT p_token.generation = p_family.generation - 1 AND p_token.used_at IS NOT NULL
       AND p_token.used_at + p_repeat > clock_timestamp()
       AND (SELECT count(*) FROM session.refresh_tokens x WHERE x.tenant_id = p_family.tenant_id
            AND x.family_id = p_family.id AND x.generation = p_family.generation) <= 32
$$;

-- Exchange a refresh token for a successor. The family's row lock makes the second of two callers see the first.
CREATE TYPE session.rotation AS (
    outcome text, family uuid, subject text, roles text[], disabled boolean, password_expired boolean
);
CREATE FUNCTION session.rotate_refresh_token(
    p_tenant uuid, p_digest bytea, p_next bytea, p_lifetime interval, p_repeat interval
) RETURNS session.rotation LANGUAGE plpgsql AS $$
DECLARE
    v session.rotation;
    f session.token_families;
    t session.refresh_tokens;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    SELECT x.family_id INTO v.family FROM session.refresh_tokens x WHERE x.tenant_id = p_tenant AND x.digest = p_digest;
    IF NOT FOUND THEN
        v.outcome := 'unknown';
        RETURN v;
    END IF;
    SELECT y.* INTO f FROM session.token_families y WHERE y.tenant_id = p_tenant AND y.id = v.family FOR UPDATE;
    SELECT x.* INTO t FROM session.refresh_tokens x WHERE x.tenant_id = p_tenant AND x.digest = p_digest;
    v.subject := f.subject;
    IF f.revoked_at IS NOT NULL THEN
        v.outcome := CASE WHEN t.generation = f.generation THEN 'revoked' ELSE 'replayed' END;
        RETURN v;
    END IF;
    IF t.generation < f.generation AND NOT session.repeats_refresh(f, t, p_repeat) THEN
        UPDATE session.token_families y SET revoked_at = clock_timestamp() WHERE y.tenant_id = p_tenant AND y.id = v.family;
        v.outcome := 'reused';
        RETURN v;
    END IF;
    IF f.expires_at <= clock_timestamp() OR (t.used_at IS NULL AND t.expires_at <= clock_timestamp()) THEN
        v.outcome := 'expired';
        RETURN v;
    END IF;
    v.roles := ARRAY['visitor'];
    v.disabled := false;
    v.password_expired := false;
    IF f.subject LIKE 'users/%' THEN
        SELECT x.roles, x.disabled, x.password_expired INTO v.roles, v.disabled, v.password_expired FROM session.users x
        WHERE x.tenant_id = p_tenant AND x.id = substr(f.subject, 7)::uuid;
        IF NOT FOUND OR v.disabled THEN
            UPDATE session.token_families y SET revoked_at = clock_timestamp()
            WHERE y.tenant_id = p_tenant AND y.id = v.family;
            v.outcome := 'revoked';
            RETURN v;
        END IF;
    ELSE
        UPDATE session.visitors x SET last_seen_at = now() WHERE x.tenant_id = p_tenant AND x.id = substr(f.subject, 10)::uuid;
    END IF;
    IF t.used_at IS NULL THEN
        UPDATE session.refresh_tokens x SET used_at = clock_timestamp() WHERE x.tenant_id = p_tenant AND x.digest = p_digest;
        UPDATE session.token_families y SET generation = t.generation + 1 WHERE y.tenant_id = p_tenant AND y.id = v.family;
    END IF;
    INSERT INTO session.refresh_tokens (tenant_id, digest, family_id, generation, expires_at)
    VALUES (p_tenant, p_next, v.family, t.generation + 1, least(now() + p_lifetime, f.expires_at));
    v.outcome := 'rotated';
    RETURN v;
END $$;

-- Find a key by its id and hash, and note its use once a minute.
CREATE FUNCTION session.use_api_key(p_tenant uuid, p_id text, p_digest bytea)
RETURNS TABLE (roles text[], scopes text[], expires_at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN QUERY SELECT k.roles, k.scopes, k.expires_at FROM session.api_keys k
        WHERE k.tenant_id = p_tenant AND k.id = p_id AND k.digest = p_digest
          AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp());
    IF FOUND THEN
        UPDATE session.api_keys k SET last_use_at = date_trunc('minute', clock_timestamp())
        WHERE k.tenant_id = p_tenant AND k.id = p_id
          AND (k.last_use_at IS NULL OR k.last_use_at < date_trunc('minute', clock_timestamp()));
    END IF;
END $$;

-- Append-only, each entry chained to the one before. The lock orders the writers of one tenant until they commit.
CREATE FUNCTION session.audit_hash(p_previous bytea, p_entry session.audit_log) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(coalesce(p_previous, '') || convert_to(jsonb_build_array(
        p_entry.tenant_id, p_entry.seq, (extract(epoch FROM p_entry.occurred_at) * 1000000)::bigint, p_entry.actor,
        p_entry.action, p_entry.resource, p_entry.outcome, p_entry.request_id, p_entry.detail)::text, 'UTF8'))
$$;
CREATE FUNCTION session.append_audit(
    p_tenant uuid, p_actor text, p_action text, p_resource text, p_outcome text, p_request_id text, p_detail text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v session.audit_log;
    last_hash bytea;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    PERFORM pg_advisory_xact_lock(hashtextextended('session.audit_log/' || p_tenant, 0));
    SELECT a.seq, a.hash INTO v.seq, last_hash FROM session.audit_log a
    WHERE a.tenant_id = p_tenant ORDER BY a.seq DESC LIMIT 1;
    v.tenant_id := p_tenant; v.seq := coalesce(v.seq, 0) + 1; v.occurred_at := clock_timestamp(); v.actor := p_actor;
    v.action := p_action; v.resource := p_resource; v.outcome := p_outcome; v.request_id := p_request_id;
    v.detail := p_detail; v.hash := session.audit_hash(last_hash, v);
    INSERT INTO session.audit_log SELECT v.*;
    RETURN v.seq;
END $$;

-- The first entry that does not follow from the one before; NULL when the chain is whole.
CREATE FUNCTION session.broken_audit(p_tenant uuid) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN (
        SELECT min(e.seq) FROM (
            SELECT a AS entry, a.seq, a.hash, lag(a.hash) OVER w AS before, row_number() OVER w AS place
            FROM session.audit_log a WHERE a.tenant_id = p_tenant WINDOW w AS (ORDER BY a.seq)
        ) e WHERE e.seq <> e.place OR e.hash <> session.audit_hash(e.before, e.entry));
END $$;

-- The log of every tenant, for the operator, as the owner of the schema. To another role all logs would look empty and
-- so whole: it is refused.
CREATE FUNCTION session.check_audit()
RETURNS TABLE (tenant_id uuid, slug varchar, entries bigint, newest bigint, newest_hash bytea, broken bigint)
LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> (SELECT c.relowner::regrole::name FROM pg_class c WHERE c.oid = 'session.audit_log'::regclass) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the audit log of all tenants is checked as the owner of the schema';
    END IF;
    FOR check_audit.tenant_id, check_audit.slug IN SELECT t.tenant_id, t.slug FROM session.tenants t ORDER BY t.slug LOOP
        broken := session.broken_audit(check_audit.tenant_id);
        SELECT count(*), max(a.seq) INTO entries, newest FROM session.audit_log a
        WHERE a.tenant_id = check_audit.tenant_id;
        SELECT a.hash INTO newest_hash FROM session.audit_log a
        WHERE a.tenant_id = check_audit.tenant_id AND a.seq = newest;
        RETURN NEXT;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION session.tenant_of_slug(text), session.tenants_after(text, integer),
    session.tenant_for_operator(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session.tenant_of_slug(text), session.tenants_after(text, integer),
    session.tenant_for_operator(uuid) TO parley_app;
