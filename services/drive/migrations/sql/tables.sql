CREATE TABLE drive.files (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    owner varchar(255) NOT NULL,
    path varchar(512) COLLATE "C" NOT NULL,
    content_type varchar(255) NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    digest char(64),
    state varchar(10) NOT NULL CHECK (state IN ('UPLOADING', 'LIVE')),
    object_key varchar(255) NOT NULL,        -- where the bytes are, or are to be PUT
    replaced_key varchar(255),               -- where the bytes before them were
    expires_at timestamptz,                  -- of an upload
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, owner, path),
    CHECK ((state = 'LIVE') = (digest IS NOT NULL)),
    CHECK ((state = 'UPLOADING') = (expires_at IS NOT NULL))
);
CREATE INDEX files_by_path ON drive.files (tenant_id, path, id) WHERE state = 'LIVE';
CREATE INDEX files_uploading ON drive.files (expires_at) WHERE state = 'UPLOADING';
CREATE INDEX files_begun ON drive.files (tenant_id, owner) WHERE state = 'UPLOADING';

-- Every key under which an object may be that no live file has. Entered before the object is written.
CREATE TABLE drive.garbage (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    object_key varchar(255) NOT NULL,
    due timestamptz NOT NULL,
    taken boolean NOT NULL DEFAULT false,    -- the sweeper removes it: it cannot go live any more
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX garbage_due ON drive.garbage (due);
CREATE INDEX garbage_by_key ON drive.garbage (tenant_id, object_key);

-- Bytes of live files, kept by a trigger: one row a tenant, whose lock makes the limit exact.
CREATE TABLE drive.usage (
    tenant_id uuid NOT NULL PRIMARY KEY,
    bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0)
);

CREATE FUNCTION drive.live_bytes(p_state text, p_size bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_state = 'LIVE' THEN p_size ELSE 0 END
$$;

CREATE FUNCTION drive.count_bytes() RETURNS trigger
LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
    v_tenant uuid;
    v_change bigint := 0;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        v_tenant := OLD.tenant_id;
        v_change := v_change - drive.live_bytes(OLD.state, OLD.size);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        v_tenant := NEW.tenant_id;
        v_change := v_change + drive.live_bytes(NEW.state, NEW.size);
    END IF;
    IF v_change = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE drive.usage SET bytes = bytes + v_change WHERE tenant_id = v_tenant;
    IF NOT FOUND THEN
        INSERT INTO drive.usage AS u (tenant_id, bytes) VALUES (v_tenant, v_change)
        ON CONFLICT (tenant_id) DO UPDATE SET bytes = u.bytes + excluded.bytes;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_bytes AFTER INSERT OR UPDATE OR DELETE ON drive.files
FOR EACH ROW EXECUTE FUNCTION drive.count_bytes();
