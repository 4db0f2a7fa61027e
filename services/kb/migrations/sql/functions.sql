-- Functions that set the tenant themselves, so that each is one round trip; row-level security still decides.

CREATE FUNCTION kb.bot_revision(p_tenant uuid, p_bot text) RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN coalesce((SELECT revision FROM kb.bots WHERE tenant_id = p_tenant AND bot = p_bot), 0);
END
$$;

-- Only chunks of live revisions of the bot's own documents: whatever else an index may still hold is not seen.
CREATE FUNCTION kb.read_passages(p_tenant uuid, p_bot text, p_ids uuid[])
RETURNS TABLE (id uuid, document_id uuid, ordinal integer, start_at integer, end_at integer, body text, title varchar,
               path varchar, collection varchar)
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN QUERY SELECT c.id, c.document_id, c.ordinal, c.start_at, c.end_at, c.body, d.title, d.path, d.collection
    FROM kb.chunks c JOIN kb.kb_documents d
      ON d.tenant_id = c.tenant_id AND d.id = c.document_id AND d.revision = c.revision
    WHERE c.tenant_id = p_tenant AND c.id = ANY (p_ids) AND d.bot = p_bot;
END
$$;

CREATE FUNCTION kb.put_chunks(p_tenant uuid, p_document uuid, p_revision integer, p_lease uuid, p_model text, p_ids uuid[],
                              p_ordinals integer[], p_starts integer[], p_ends integer[], p_headings text[],
                              p_bodies text[], p_digests bytea[], p_vectors bytea[], p_seconds double precision)
RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    UPDATE kb.kb_documents SET due = now() + make_interval(secs => p_seconds)
    WHERE tenant_id = p_tenant AND id = p_document AND lease = p_lease AND wanted = p_revision;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO kb.chunks (tenant_id, id, document_id, revision, ordinal, start_at, end_at, heading, body, digest,
                           embedding_id, vector)
    SELECT p_tenant, u.id, p_document, p_revision, u.ordinal, u.start_at, u.end_at, u.heading, u.body, u.digest,
           p_model, u.vector
    FROM unnest(p_ids, p_ordinals, p_starts, p_ends, p_headings, p_bodies, p_digests, p_vectors)
      AS u (id, ordinal, start_at, end_at, heading, body, digest, vector)
    ON CONFLICT (tenant_id, id) DO UPDATE SET start_at = excluded.start_at, end_at = excluded.end_at,
        heading = excluded.heading, body = excluded.body, digest = excluded.digest,
        embedding_id = excluded.embedding_id, vector = excluded.vector;
    RETURN true;
END
$$;

-- The switch: from one revision to the next, in one transaction, only by the holder of the lease.
CREATE FUNCTION kb.go_live(p_tenant uuid, p_document uuid, p_revision integer, p_lease uuid, p_title text,
                           p_content text, p_model text, p_count integer)
RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    v_bot varchar;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    UPDATE kb.kb_documents SET state = 'LIVE', reason = '', revision = p_revision, title = p_title, content = p_content,
        embedding_id = p_model, chunk_count = p_count, source = NULL, lease = NULL, attempts = 0, updated_at = now()
    WHERE tenant_id = p_tenant AND id = p_document AND lease = p_lease AND wanted = p_revision
    RETURNING bot INTO v_bot;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM kb.chunks WHERE tenant_id = p_tenant AND document_id = p_document
        AND (revision <> p_revision OR ordinal >= p_count);
    INSERT INTO kb.bots (tenant_id, bot, revision) VALUES (p_tenant, v_bot, 1)
    ON CONFLICT (tenant_id, bot) DO UPDATE SET revision = kb.bots.revision + 1;
    RETURN true;
END
$$;

CREATE FUNCTION kb.report(p_tenant uuid, p_document uuid, p_lease uuid, p_state text, p_reason text,
                          p_seconds double precision)
RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    UPDATE kb.kb_documents SET state = p_state, reason = p_reason, due = now() + make_interval(secs => p_seconds),
        lease = CASE WHEN p_state IN ('PARSING', 'INDEXING') THEN lease END,
        source = CASE WHEN p_state = 'FAILED' THEN NULL ELSE source END, updated_at = now()
    WHERE tenant_id = p_tenant AND id = p_document AND lease = p_lease;
    RETURN FOUND;
END
$$;

CREATE FUNCTION kb.known_vectors(p_tenant uuid, p_document uuid)
RETURNS TABLE (digest bytea, vector bytea)
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN QUERY SELECT c.digest, c.vector FROM kb.chunks c
    WHERE c.tenant_id = p_tenant AND c.document_id = p_document;
END
$$;

-- For the sweeper's role: the next import that is due, or whose holder fell silent. Those tried too often are given up.
CREATE FUNCTION kb.claim(p_lease uuid, p_seconds double precision, p_attempts integer)
RETURNS TABLE (tenant_id uuid, id uuid, bot varchar, collection varchar, path varchar, content_type varchar,
               source bytea, wanted integer, attempts integer)
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    UPDATE kb.kb_documents d SET state = 'FAILED', lease = NULL, source = NULL, updated_at = now(),
        reason = CASE WHEN d.reason = '' THEN 'given up: the import was interrupted ' || d.attempts || ' times'
                      ELSE 'given up after ' || d.attempts || ' tries: ' || left(d.reason, 400) END
    WHERE d.state IN ('QUEUED', 'PARSING', 'INDEXING') AND d.due <= now() AND d.attempts >= p_attempts;
    RETURN QUERY UPDATE kb.kb_documents d SET state = 'PARSING', lease = p_lease, attempts = d.attempts + 1,
        due = now() + make_interval(secs => p_seconds), updated_at = now()
    WHERE (d.tenant_id, d.id) = (
        SELECT w.tenant_id, w.id FROM kb.kb_documents w
        WHERE w.state IN ('QUEUED', 'PARSING', 'INDEXING') AND w.due <= now()
        ORDER BY w.due LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING d.tenant_id, d.id, d.bot, d.collection, d.path, d.content_type, d.source, d.wanted, d.attempts;
END
$$;

-- For the sweeper's role: the next document whose live vectors are another model's. What was begun is gone on with first.
CREATE FUNCTION kb.claim_stale(p_lease uuid, p_seconds double precision, p_model text)
RETURNS TABLE (tenant_id uuid, id uuid, bot varchar, collection varchar, title varchar, revision integer)
LANGUAGE sql SECURITY INVOKER AS $$
    UPDATE kb.kb_documents d SET lease = p_lease, due = now() + make_interval(secs => p_seconds)
    WHERE (d.tenant_id, d.id) = (
        SELECT w.tenant_id, w.id FROM kb.kb_documents w
        WHERE w.revision > 0 AND (w.embedding_id < p_model OR w.embedding_id > p_model)
          AND w.state IN ('LIVE', 'FAILED') AND w.due <= now()
        ORDER BY w.due LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING d.tenant_id, d.id, d.bot, d.collection, d.title, d.revision;
$$;

CREATE FUNCTION kb.stale_chunks(p_tenant uuid, p_document uuid, p_revision integer, p_model text, p_rows integer)
RETURNS TABLE (id uuid, heading text, body text)
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    RETURN QUERY SELECT c.id, c.heading, c.body FROM kb.chunks c
    WHERE c.tenant_id = p_tenant AND c.document_id = p_document AND c.revision = p_revision AND c.embedding_id <> p_model
    ORDER BY c.ordinal LIMIT p_rows;
END
$$;

-- Vectors of the present model for some chunks; how many are left, NULL when the lease is another's or an import came.
-- The last ones raise the bot's revision: answers that were found without them are not given any more.
CREATE FUNCTION kb.put_vectors(p_tenant uuid, p_document uuid, p_revision integer, p_lease uuid, p_model text,
                               p_ids uuid[], p_digests bytea[], p_vectors bytea[])
RETURNS bigint
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    v_bot varchar;
    v_left bigint;
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    SELECT bot INTO v_bot FROM kb.kb_documents WHERE tenant_id = p_tenant AND id = p_document AND lease = p_lease
        AND revision = p_revision AND state IN ('LIVE', 'FAILED') FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE kb.chunks c SET embedding_id = p_model, digest = u.digest, vector = u.vector
    FROM unnest(p_ids, p_digests, p_vectors) AS u (id, digest, vector)
    WHERE c.tenant_id = p_tenant AND c.id = u.id AND c.document_id = p_document AND c.revision = p_revision;
    SELECT count(*) INTO v_left FROM kb.chunks c WHERE c.tenant_id = p_tenant AND c.document_id = p_document
        AND c.revision = p_revision AND c.embedding_id <> p_model;
    UPDATE kb.kb_documents SET lease = NULL, due = '-infinity',
        embedding_id = CASE WHEN v_left = 0 THEN p_model ELSE embedding_id END
    WHERE tenant_id = p_tenant AND id = p_document;
    IF v_left = 0 THEN
        INSERT INTO kb.bots (tenant_id, bot, revision) VALUES (p_tenant, v_bot, 1)
        ON CONFLICT (tenant_id, bot) DO UPDATE SET revision = kb.bots.revision + 1;
    END IF;
    RETURN v_left;
END
$$;

CREATE FUNCTION kb.put_off_stale(p_tenant uuid, p_document uuid, p_lease uuid, p_seconds double precision) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
    UPDATE kb.kb_documents SET lease = NULL, due = now() + make_interval(secs => p_seconds)
    WHERE tenant_id = p_tenant AND id = p_document AND lease = p_lease AND state IN ('LIVE', 'FAILED');
END
$$;
