-- What a turn writes. A writer whose epoch or token is not the newest changes nothing and gets no row.
CREATE TYPE session.written AS (last_seq integer, base_seq integer, more_pending boolean);

CREATE FUNCTION session.append_replies(
    p_tenant uuid, p_session uuid, p_base integer, p_turn integer, p_ids uuid[], p_roles text[], p_contents text[],
    p_payloads bytea[], p_ordinals integer[], p_tokens integer[]
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO session.message_history
        (tenant_id, session_id, seq, id, role, content, payload, turn, ordinal, tokens_used)
    SELECT p_tenant, p_session, p_base + r.position, r.id, r.role, r.content, r.payload, p_turn, r.ordinal, r.tokens
    FROM unnest(p_ids, p_roles, p_contents, p_payloads, p_ordinals, p_tokens)
        WITH ORDINALITY AS r (id, role, content, payload, ordinal, tokens, position);
$$;

CREATE FUNCTION session.append_outbox(
    p_tenant uuid, p_session uuid, p_base integer, p_event_id uuid, p_subject text, p_payload bytea,
    p_delivery_id uuid, p_delivery_subject text, p_delivery bytea
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- 7a 04: field 15, four bytes (see LiveEvents.base in session.proto).
    INSERT INTO session.outbox (id, tenant_id, session_id, subject, payload)
    VALUES (p_event_id, p_tenant, p_session, p_subject, p_payload || '\x7a04'::bytea || int4send(p_base));
    IF p_delivery_id IS NOT NULL THEN
        INSERT INTO session.outbox (id, tenant_id, session_id, subject, payload, hold)
        VALUES (p_delivery_id, p_tenant, p_session, p_delivery_subject, p_delivery, true) ON CONFLICT DO NOTHING;
    END IF;
END $$;

CREATE FUNCTION session.checkpoint_turn(
    p_tenant uuid, p_session uuid, p_epoch integer, p_token uuid, p_lease interval,
    p_turn integer, p_ids uuid[], p_roles text[], p_contents text[], p_payloads bytea[], p_ordinals integer[],
    p_tokens integer[], p_state bytea, p_bot_version text,
    p_keys text[], p_kinds text[], p_results bytea[],
    p_event_id uuid, p_subject text, p_payload bytea, p_delivery_id uuid, p_delivery_subject text, p_delivery bytea
) RETURNS SETOF session.written LANGUAGE plpgsql AS $$
DECLARE
    v session.written;
    n integer := cardinality(p_ids);
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    UPDATE session.user_sessions u
    SET last_seq = u.last_seq + n, said = u.said + n, state = p_state, bot_version = p_bot_version, open_turn = true,
        lease_until = clock_timestamp() + p_lease, updated_at = clock_timestamp()
    WHERE u.tenant_id = p_tenant AND u.id = p_session
      AND u.epoch = p_epoch AND u.lease_token = p_token
    RETURNING u.last_seq INTO v.last_seq;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v.base_seq := v.last_seq - n; v.more_pending := false;
    INSERT INTO session.turn_journal (tenant_id, session_id, turn, key, kind, result)
    SELECT p_tenant, p_session, p_turn, j.key, j.kind, j.result
    FROM unnest(p_keys, p_kinds, p_results) AS j (key, kind, result) ON CONFLICT DO NOTHING;
    IF n > 0 THEN
        PERFORM session.append_replies(p_tenant, p_session, v.base_seq, p_turn, p_ids, p_roles, p_contents,
                                       p_payloads, p_ordinals, p_tokens);
        PERFORM session.append_outbox(p_tenant, p_session, v.base_seq, p_event_id, p_subject, p_payload,
                                      p_delivery_id, p_delivery_subject, p_delivery);
    END IF;
    RETURN NEXT v;
END $$;

CREATE FUNCTION session.commit_turn(
    p_tenant uuid, p_session uuid, p_epoch integer, p_token uuid, p_consumed integer,
    p_turn integer, p_ids uuid[], p_roles text[], p_contents text[], p_payloads bytea[], p_ordinals integer[],
    p_tokens integer[], p_state bytea, p_bot_version text, p_waiting text, p_until timestamptz, p_end boolean,
    p_timeout interval, p_scopes text[], p_variable_keys text[], p_values text[],
    p_event_id uuid, p_subject text, p_payload bytea, p_delivery_id uuid, p_delivery_subject text, p_delivery bytea
) RETURNS SETOF session.written LANGUAGE plpgsql AS $$
DECLARE
    v session.written;
    s record;
    n integer := cardinality(p_ids);
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    UPDATE session.user_sessions u
    SET last_seq = u.last_seq + n, consumed_seq = greatest(u.consumed_seq, p_consumed), turn = p_turn, said = 0,
        open_turn = false, state = p_state, bot_version = p_bot_version, waiting = p_waiting, wake_at = p_until,
        lease_owner = NULL, lease_token = NULL, lease_until = NULL, updated_at = clock_timestamp(),
        expires_at = clock_timestamp() + p_timeout,
        status = CASE WHEN p_end THEN 'ended' ELSE u.status END
    WHERE u.tenant_id = p_tenant AND u.id = p_session
      AND u.epoch = p_epoch AND u.lease_token = p_token
    RETURNING u.last_seq AS last_seq, u.input_seq > u.consumed_seq AS pending, u.expires_at AS expires_at,
              u.bot_id AS bot_id, u.user_id AS user_id, u.channel AS channel, old.open_turn AS was_open INTO s;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v.last_seq := s.last_seq; v.base_seq := s.last_seq - n; v.more_pending := s.pending AND NOT p_end;
    IF n > 0 THEN
        PERFORM session.append_replies(p_tenant, p_session, v.base_seq, p_turn, p_ids, p_roles, p_contents,
                                       p_payloads, p_ordinals, p_tokens);
    END IF;
    IF cardinality(p_scopes) > 0 THEN
        PERFORM session.merge_changes(p_tenant, p_session, s.bot_id, s.user_id, s.channel,
                                      p_scopes, p_variable_keys, p_values);
    END IF;
    IF s.was_open THEN
        DELETE FROM session.turn_journal j
        WHERE j.tenant_id = p_tenant AND j.session_id = p_session AND j.turn = p_turn;
    END IF;
    PERFORM session.append_outbox(p_tenant, p_session, v.base_seq, p_event_id, p_subject, p_payload,
                                  p_delivery_id, p_delivery_subject, p_delivery);
    IF p_end THEN
        DELETE FROM session.session_wakeups w WHERE w.tenant_id = p_tenant AND w.session_id = p_session;
    ELSE
        UPDATE session.session_wakeups w
        SET wake_at = CASE WHEN s.pending THEN clock_timestamp() ELSE least(p_until, s.expires_at) END,
            reason = CASE WHEN s.pending THEN 'input' WHEN p_until <= s.expires_at THEN 'timer' ELSE 'expiry' END
        WHERE w.tenant_id = p_tenant AND w.session_id = p_session;
    END IF;
    RETURN NEXT v;
END $$;
