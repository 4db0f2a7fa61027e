-- The right to write one turn: epoch and token fence every later write.
CREATE TYPE session.claimed AS (
    tenant_id uuid, session_id uuid, epoch integer, token uuid, turn integer, said integer,
    bot_id text, bot_version text, user_id text, roles text[], channel text, external_user text, locale text,
    state bytea, more_pending boolean, journaled boolean,
    seq integer, message_id uuid, content text, payload bytea, created_at timestamptz, request_id text, timer timestamptz
);
CREATE FUNCTION session.claim_turn(p_tenant uuid, p_session uuid, p_worker text, p_lease interval)
RETURNS SETOF session.claimed LANGUAGE plpgsql AS $$
DECLARE
    v session.claimed;
    s session.user_sessions;
    m record;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    -- A claim lost in a crash of the database is harmless: the token differs, so the old holder is fenced all the same.
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE session.user_sessions u
    SET epoch = u.epoch + 1, lease_owner = p_worker, lease_token = gen_random_uuid(),
        lease_until = clock_timestamp() + p_lease
    WHERE u.tenant_id = p_tenant AND u.id = p_session AND u.status = 'active'
      AND (u.lease_until IS NULL OR u.lease_until < clock_timestamp())
      AND (u.input_seq > u.consumed_seq OR u.wake_at <= clock_timestamp())
    RETURNING u.* INTO s;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v.tenant_id := p_tenant; v.session_id := p_session; v.epoch := s.epoch; v.token := s.lease_token;
    v.turn := s.turn + 1; v.said := s.said; v.bot_id := s.bot_id; v.bot_version := s.bot_version;
    v.user_id := s.user_id; v.roles := s.roles; v.channel := s.channel; v.external_user := s.external_user;
    v.locale := s.locale; v.state := s.state; v.journaled := s.open_turn;
    IF s.input_seq > s.consumed_seq THEN
        SELECT h.seq, h.id, h.content, h.payload, h.created_at, h.request_id INTO m
        FROM session.message_history h
        WHERE h.tenant_id = p_tenant AND h.session_id = p_session AND h.seq > s.consumed_seq AND h.role = 'user'
        ORDER BY h.seq LIMIT 1;
        v.seq := m.seq; v.message_id := m.id; v.content := m.content; v.payload := m.payload;
        v.created_at := m.created_at; v.request_id := m.request_id;
        v.more_pending := s.input_seq > m.seq;
    ELSE
        v.timer := s.wake_at; v.more_pending := false;
    END IF;
    RETURN NEXT v;
END $$;
