-- Input into the ledger: recognise a repeat, number the message, wake the session.
CREATE TYPE session.posted AS (
    outcome text, message_id uuid, seq integer, created_at timestamptz, digest bytea, session_id uuid, bot_id text
);
CREATE FUNCTION session.post_message(
    p_tenant uuid, p_session uuid, p_subject text, p_key text, p_digest bytea, p_id uuid,
    p_content text, p_payload bytea, p_request_id text, p_timeout interval
) RETURNS session.posted LANGUAGE plpgsql AS $$
DECLARE
    v session.posted;
    s record;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    IF p_key <> '' THEN
        INSERT INTO session.message_keys (tenant_id, key, session_id, message_id, digest)
        VALUES (p_tenant, p_key, p_session, p_id, p_digest) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            SELECT 'duplicate', k.message_id, k.seq, k.created_at, k.digest, k.session_id, '' INTO v
            FROM session.message_keys k WHERE k.tenant_id = p_tenant AND k.key = p_key;
            RETURN v;
        END IF;
    END IF;
    UPDATE session.user_sessions u
    SET last_seq = u.last_seq + 1, input_seq = u.last_seq + 1, updated_at = clock_timestamp(),
        expires_at = clock_timestamp() + p_timeout
    WHERE u.tenant_id = p_tenant AND u.id = p_session AND u.status = 'active'
      AND (p_subject = '' OR u.user_id = p_subject)
    RETURNING u.last_seq AS seq, u.bot_id AS bot_id INTO s;
    IF NOT FOUND THEN
        IF p_key <> '' THEN
            DELETE FROM session.message_keys k WHERE k.tenant_id = p_tenant AND k.key = p_key;
        END IF;
        SELECT CASE WHEN u.status = 'active' THEN 'missing' ELSE 'closed' END INTO v.outcome
        FROM session.user_sessions u
        WHERE u.tenant_id = p_tenant AND u.id = p_session AND (p_subject = '' OR u.user_id = p_subject);
        v.outcome := coalesce(v.outcome, 'missing');
        RETURN v;
    END IF;
    INSERT INTO session.message_history
        (tenant_id, session_id, seq, id, role, content, request_id, payload)
    VALUES (p_tenant, p_session, s.seq, p_id, 'user', p_content, p_request_id, p_payload)
    RETURNING created_at INTO v.created_at;
    IF p_key <> '' THEN
        UPDATE session.message_keys k SET seq = s.seq WHERE k.tenant_id = p_tenant AND k.key = p_key;
    END IF;
    UPDATE session.session_wakeups w SET wake_at = clock_timestamp(), reason = 'input'
    WHERE w.tenant_id = p_tenant AND w.session_id = p_session;
    v.outcome := 'posted'; v.message_id := p_id; v.seq := s.seq; v.session_id := p_session; v.bot_id := s.bot_id;
    v.digest := p_digest;
    RETURN v;
END $$;
