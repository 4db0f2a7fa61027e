-- A page of the ledger.
CREATE FUNCTION session.read_messages(p_tenant uuid, p_session uuid, p_after integer, p_limit integer)
RETURNS SETOF session.message_history LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN QUERY SELECT h.* FROM session.message_history h
    WHERE h.tenant_id = p_tenant AND h.session_id = p_session AND h.seq > p_after ORDER BY h.seq LIMIT p_limit;
END $$;

-- Sessions by id, as people see them.
CREATE FUNCTION session.read_sessions(p_tenant uuid, p_sessions uuid[])
RETURNS SETOF session.user_sessions LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN QUERY SELECT u.* FROM session.user_sessions u WHERE u.tenant_id = p_tenant AND u.id = ANY(p_sessions);
END $$;
