-- Keeping, giving back and ending.
CREATE FUNCTION session.renew_lease(
    p_tenant uuid, p_session uuid, p_epoch integer, p_token uuid, p_lease interval
) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v timestamptz;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE session.user_sessions u SET lease_until = clock_timestamp() + p_lease
    WHERE u.tenant_id = p_tenant AND u.id = p_session AND u.epoch = p_epoch AND u.lease_token = p_token
    RETURNING u.lease_until INTO v;
    RETURN v;
END $$;

CREATE FUNCTION session.abandon_turn(
    p_tenant uuid, p_session uuid, p_epoch integer, p_token uuid, p_delay interval
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    UPDATE session.user_sessions u
    SET lease_owner = NULL, lease_token = NULL,
        lease_until = CASE WHEN p_delay > interval '0' THEN clock_timestamp() + p_delay END
    WHERE u.tenant_id = p_tenant AND u.id = p_session AND u.epoch = p_epoch AND u.lease_token = p_token;
    RETURN FOUND;
END $$;

CREATE FUNCTION session.read_journal(p_tenant uuid, p_session uuid, p_turn integer)
RETURNS TABLE (key text, kind text, result bytea) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN QUERY SELECT j.key::text, j.kind::text, j.result FROM session.turn_journal j
    WHERE j.tenant_id = p_tenant AND j.session_id = p_session AND j.turn = p_turn ORDER BY j.created_at;
END $$;

-- Closing takes the lease away, so a turn that is still running is discarded whole.
CREATE FUNCTION session.close_session(
    p_tenant uuid, p_session uuid, p_status text, p_event_id uuid, p_subject text, p_payload bytea
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v integer;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    UPDATE session.user_sessions u
    SET status = p_status, epoch = u.epoch + 1, lease_owner = NULL, lease_token = NULL, lease_until = NULL,
        wake_at = NULL, updated_at = clock_timestamp()
    WHERE u.tenant_id = p_tenant AND u.id = p_session AND u.status = 'active'
      AND (p_status = 'ended' OR u.expires_at <= clock_timestamp())
    RETURNING u.last_seq INTO v;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    DELETE FROM session.session_wakeups w WHERE w.tenant_id = p_tenant AND w.session_id = p_session;
    PERFORM session.append_outbox(p_tenant, p_session, v, p_event_id, p_subject, p_payload, NULL, NULL, NULL);
    RETURN v;
END $$;
