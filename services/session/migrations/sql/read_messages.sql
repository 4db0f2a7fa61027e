-- A page of the ledger.
CREATE FUNCTION session.read_messages(p_tenant uuid, p_session uuid, p_after integer, p_limit integer)
RETURNS SETOF session.message_history LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN QUERY SELECT h.* FROM session.message_history h
    WHERE h.tenant_id = p_tenant AND h.session_id = p_session AND h.seq > p_after ORDER BY h.seq LIMIT p_limit;
END $$;
