-- Each is one round trip. Those for the app role set the tenant themselves; row-level security still decides.

-- "stored" the first time, "known" after that, "unknown" when the tenant has no such channel.
CREATE FUNCTION channels.store_delivery(p_tenant uuid, p_id uuid, p_channel text, p_session uuid, p_payload bytea,
    p_turn integer, p_ordinal integer, p_last integer, p_gap double precision, OUT outcome text, OUT held boolean)
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    v_at timestamptz := clock_timestamp();
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    held := false;
    PERFORM 1 FROM channels.channels WHERE tenant_id = p_tenant AND id = p_channel FOR KEY SHARE;
    IF NOT FOUND THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    INSERT INTO channels.queues AS q (tenant_id, channel_id, session_id) VALUES (p_tenant, p_channel, p_session)
    ON CONFLICT (tenant_id, channel_id, session_id) DO UPDATE SET due = q.due;
    held := NOT EXISTS (
        SELECT FROM channels.deliveries d
        WHERE d.tenant_id = p_tenant AND d.channel_id = p_channel AND d.session_id = p_session
          AND ((p_ordinal > 0 AND d.turn = p_turn AND d.last_ordinal = p_ordinal - 1)
               OR (p_ordinal = 0 AND d.turn = p_turn - 1))
    ) AND (p_turn > 1 OR p_ordinal > 0);
    IF held THEN
        v_at := v_at + make_interval(secs => p_gap);
    END IF;
    INSERT INTO channels.deliveries
        (tenant_id, id, channel_id, session_id, payload, turn, ordinal, last_ordinal, held, next_attempt_at)
    VALUES (p_tenant, p_id, p_channel, p_session, p_payload, p_turn, p_ordinal, p_last, held, v_at)
    ON CONFLICT (tenant_id, id) DO NOTHING;
    IF NOT FOUND THEN
        outcome := 'known';
        held := false;
        RETURN;
    END IF;
    UPDATE channels.queues q SET due = least(q.due, v_at)
    WHERE q.tenant_id = p_tenant AND q.channel_id = p_channel AND q.session_id = p_session AND q.lease IS NULL;
    outcome := 'stored';
END $$;

-- For the relay role: sessions with something due, whose channels are enabled and not busy up to their bound.
CREATE FUNCTION channels.claim_queues(p_lease uuid, p_seconds double precision, p_limit integer, p_each integer,
    p_tenants uuid[], p_channels text[], p_busy integer[])
RETURNS TABLE (tenant_id uuid, channel_id varchar, session_id uuid)
LANGUAGE sql SECURITY INVOKER AS $$
    UPDATE channels.queues q SET lease = p_lease, due = clock_timestamp() + make_interval(secs => p_seconds)
    FROM (
        SELECT w.tenant_id, w.channel_id, w.session_id
        FROM (SELECT DISTINCT d.tenant_id, d.channel_id FROM channels.queues d WHERE d.due <= clock_timestamp()) AS a
        JOIN channels.channels c ON c.tenant_id = a.tenant_id AND c.id = a.channel_id AND c.enabled
        LEFT JOIN unnest(p_tenants, p_channels, p_busy) AS b (tenant_id, channel_id, busy)
            ON b.tenant_id = a.tenant_id AND b.channel_id = a.channel_id
        CROSS JOIN LATERAL (
            SELECT l.tenant_id, l.channel_id, l.session_id FROM channels.queues l
            WHERE l.tenant_id = a.tenant_id AND l.channel_id = a.channel_id AND l.due <= clock_timestamp()
            ORDER BY l.due LIMIT greatest(0, p_each - coalesce(b.busy, 0)) FOR UPDATE SKIP LOCKED
        ) AS w
        LIMIT p_limit
    ) AS s
    WHERE q.tenant_id = s.tenant_id AND q.channel_id = s.channel_id AND q.session_id = s.session_id
    RETURNING q.tenant_id, q.channel_id, q.session_id;
$$;

-- The next reply to send, an attempt counted and the lease prolonged; no row when there is none, when its time has not
-- come, or when the lease is another's. Without one the lease is given back.
CREATE FUNCTION channels.take_delivery(p_tenant uuid, p_channel text, p_session uuid, p_lease uuid,
    p_seconds double precision)
RETURNS TABLE (id uuid, payload bytea, attempts integer, age double precision, kind varchar, bot varchar, uri varchar,
               sealed bytea)
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    v record;
    v_now timestamptz;
    v_enabled boolean;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    PERFORM 1 FROM channels.queues q WHERE q.tenant_id = p_tenant AND q.channel_id = p_channel
        AND q.session_id = p_session AND q.lease = p_lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_now := clock_timestamp();
    v_enabled := (SELECT c.enabled FROM channels.channels c WHERE c.tenant_id = p_tenant AND c.id = p_channel);
    SELECT d.id, d.next_attempt_at INTO v FROM channels.deliveries d
    WHERE d.tenant_id = p_tenant AND d.channel_id = p_channel AND d.session_id = p_session AND d.state = 'PENDING'
    ORDER BY d.turn, d.ordinal LIMIT 1;
    IF NOT FOUND OR v.next_attempt_at > v_now OR NOT v_enabled THEN
        UPDATE channels.queues q SET lease = NULL, due = v.next_attempt_at
        WHERE q.tenant_id = p_tenant AND q.channel_id = p_channel AND q.session_id = p_session;
        RETURN;
    END IF;
    UPDATE channels.queues q SET due = v_now + make_interval(secs => p_seconds)
    WHERE q.tenant_id = p_tenant AND q.channel_id = p_channel AND q.session_id = p_session;
    RETURN QUERY UPDATE channels.deliveries d SET attempts = d.attempts + 1, held = false, updated_at = v_now
    FROM channels.channels c
    WHERE d.tenant_id = p_tenant AND d.id = v.id AND c.tenant_id = p_tenant AND c.id = p_channel
    RETURNING d.id, d.payload, d.attempts, extract(epoch FROM v_now - d.created_at)::double precision, c.kind, c.bot,
        c.uri, (SELECT s.sealed FROM channels.secrets s WHERE s.tenant_id = p_tenant AND s.channel_id = p_channel
                ORDER BY s.number DESC LIMIT 1);
END $$;

-- Notes how an attempt ended. False when the lease was lost: then nothing was noted. A reply to be tried again gives
-- the lease back; after any other the holder goes on with the session.
CREATE FUNCTION channels.settle_delivery(p_tenant uuid, p_channel text, p_session uuid, p_lease uuid, p_id uuid,
    p_state text, p_status integer, p_error text, p_wait double precision)
RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    v_next timestamptz := clock_timestamp() + make_interval(secs => p_wait);
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    PERFORM 1 FROM channels.queues q WHERE q.tenant_id = p_tenant AND q.channel_id = p_channel
        AND q.session_id = p_session AND q.lease = p_lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE channels.deliveries d SET state = p_state, last_status = p_status, last_error = p_error,
        next_attempt_at = v_next, payload = CASE WHEN p_state = 'PENDING' THEN d.payload ELSE '' END,
        updated_at = clock_timestamp()
    WHERE d.tenant_id = p_tenant AND d.id = p_id AND (d.state = 'PENDING' OR p_state = 'DELIVERED');
    IF p_state = 'PENDING' THEN
        UPDATE channels.queues q SET lease = NULL, due = v_next
        WHERE q.tenant_id = p_tenant AND q.channel_id = p_channel AND q.session_id = p_session;
    END IF;
    RETURN true;
END $$;

-- For the relay role: what was held back at a time, and whose predecessors have been asked for since, may go.
CREATE FUNCTION channels.release_held(p_until timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    v record;
    n integer := 0;
BEGIN
    FOR v IN
        SELECT q.tenant_id, q.channel_id, q.session_id FROM channels.queues q
        WHERE (q.tenant_id, q.channel_id, q.session_id) IN (
            SELECT d.tenant_id, d.channel_id, d.session_id FROM channels.deliveries d
            WHERE d.held AND d.created_at <= p_until)
        ORDER BY q.tenant_id, q.channel_id, q.session_id FOR UPDATE
    LOOP
        UPDATE channels.deliveries d SET held = false, next_attempt_at = clock_timestamp()
        WHERE d.tenant_id = v.tenant_id AND d.channel_id = v.channel_id AND d.session_id = v.session_id
          AND d.held AND d.created_at <= p_until;
        UPDATE channels.queues q SET due = clock_timestamp()
        WHERE q.tenant_id = v.tenant_id AND q.channel_id = v.channel_id AND q.session_id = v.session_id
          AND q.lease IS NULL;
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

-- For the relay role: replies of channels that stayed disabled for too long are given up.
CREATE FUNCTION channels.give_up_disabled(p_seconds double precision, p_error text, p_limit integer) RETURNS integer
LANGUAGE sql SECURITY INVOKER AS $$
    WITH old AS (
        SELECT d.tenant_id, d.id FROM channels.deliveries d
        JOIN channels.channels c ON c.tenant_id = d.tenant_id AND c.id = d.channel_id AND NOT c.enabled
        WHERE d.state = 'PENDING' AND d.created_at < clock_timestamp() - make_interval(secs => p_seconds)
        ORDER BY d.created_at LIMIT p_limit FOR UPDATE OF d SKIP LOCKED
    ), gone AS (
        UPDATE channels.deliveries d SET state = 'FAILED', last_error = p_error, payload = '', held = false,
            updated_at = clock_timestamp()
        FROM old WHERE d.tenant_id = old.tenant_id AND d.id = old.id AND d.state = 'PENDING' RETURNING 1
    ) SELECT count(*)::integer FROM gone;
$$;

-- For the relay role: the rows of a table nobody will ask for any more; the largest number that went from one of them.
CREATE FUNCTION channels.forget_old(p_delivery_days integer, p_receipt_days integer, p_limit integer)
RETURNS integer
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    n integer;
    v_most integer := 0;
BEGIN
    DELETE FROM channels.deliveries WHERE (tenant_id, id) IN (
        SELECT d.tenant_id, d.id FROM channels.deliveries d
        WHERE d.state <> 'PENDING' AND d.updated_at < clock_timestamp() - make_interval(days => p_delivery_days)
        LIMIT p_limit);
    GET DIAGNOSTICS n = ROW_COUNT; v_most := greatest(v_most, n);
    DELETE FROM channels.queues q WHERE (q.tenant_id, q.channel_id, q.session_id) IN (
        SELECT e.tenant_id, e.channel_id, e.session_id FROM channels.queues e WHERE e.due IS NULL AND NOT EXISTS (
            SELECT FROM channels.deliveries d WHERE d.tenant_id = e.tenant_id AND d.channel_id = e.channel_id
            AND d.session_id = e.session_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS n = ROW_COUNT; v_most := greatest(v_most, n);
    DELETE FROM channels.webhook_receipts WHERE (tenant_id, channel_id, key) IN (
        SELECT r.tenant_id, r.channel_id, r.key FROM channels.webhook_receipts r
        WHERE r.created_at < clock_timestamp() - make_interval(days => p_receipt_days) LIMIT p_limit);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN greatest(v_most, n);
END $$;
