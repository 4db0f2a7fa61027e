-- What searches see of a bot: grows with every change, and is part of every cache key.
CREATE TABLE kb.bots (
    tenant_id uuid NOT NULL,
    bot varchar(63) NOT NULL,
    revision bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, bot)
);

CREATE TABLE kb.kb_documents (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    bot varchar(63) NOT NULL,
    collection varchar(63) NOT NULL,
    path varchar(512) NOT NULL,
    title varchar(255) NOT NULL DEFAULT '',
    content_type varchar(255) NOT NULL,
    content text,                            -- the live text, which all offsets count in
    embedding_id varchar(255),               -- the model of all live vectors
    metadata jsonb NOT NULL DEFAULT '{}',
    state varchar(10) NOT NULL CHECK (state IN ('QUEUED', 'PARSING', 'INDEXING', 'LIVE', 'FAILED')),
    reason varchar(500) NOT NULL DEFAULT '',
    digest char(64) NOT NULL,
    revision integer NOT NULL DEFAULT 0,     -- the live one; 0: none
    wanted integer NOT NULL DEFAULT 1,       -- the one being taken in, or the live one
    source bytea,                            -- the bytes being taken in
    lease uuid,
    attempts integer NOT NULL DEFAULT 0,
    due timestamptz NOT NULL DEFAULT now(),  -- next try, or the end of the lease
    chunk_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, bot, collection, path)
);
CREATE INDEX kb_documents_by_path ON kb.kb_documents (tenant_id, bot, path, id);
CREATE INDEX kb_documents_waiting ON kb.kb_documents (due) WHERE state IN ('QUEUED', 'PARSING', 'INDEXING');
CREATE INDEX kb_documents_by_embedding ON kb.kb_documents (embedding_id) WHERE revision > 0;

CREATE TABLE kb.chunks (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    revision integer NOT NULL,
    ordinal integer NOT NULL,
    start_at integer NOT NULL,
    end_at integer NOT NULL,
    heading text NOT NULL DEFAULT '',
    body text NOT NULL,
    digest bytea NOT NULL,                   -- of model and embedded text: an unchanged chunk keeps its vector
    embedding_id varchar(255) NOT NULL,      -- the model of the vector
    vector bytea NOT NULL,                   -- float32, little-endian: the index can be made again without a model
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, document_id) REFERENCES kb.kb_documents (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX chunks_by_document ON kb.chunks (tenant_id, document_id, revision, ordinal);
