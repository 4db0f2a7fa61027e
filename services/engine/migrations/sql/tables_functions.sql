-- How scripts compare values, over jsonb: the same as services/engine/program/values.py and tables/criteria.py.
-- They never give NULL, so that NOT means what it says.

CREATE FUNCTION engine.is_nothing(v jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT v IS NULL OR v = 'null'::jsonb
$$;

-- The number in a text: NULL when there is none.
CREATE FUNCTION engine.number_in_text(t text) RETURNS numeric LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    written text := btrim(t, E' \t\n\r\f\v');
    found numeric;
BEGIN
    IF length(written) > 400 THEN
        RETURN NULL;
    END IF;
    IF written ~ '^[^,]*,[^,]*$' AND strpos(written, '.') = 0 THEN
        written := replace(written, ',', '.');
    END IF;
    IF written !~ '^[+-]?([0-9]+(_[0-9]+)*\.?([0-9]+(_[0-9]+)*)?|\.[0-9]+(_[0-9]+)*)([eE][+-]?[0-9]{1,3})?$' THEN
        RETURN NULL;
    END IF;
    found := replace(written, '_', '')::numeric;
    RETURN CASE WHEN abs(found) < 1.797e308 THEN found END;
END
$$;

-- The number in a value: NULL when there is none.
CREATE FUNCTION engine.number_in(v jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(v)
        WHEN 'number' THEN v::numeric
        WHEN 'string' THEN engine.number_in_text(v #>> '{}')
    END
$$;

CREATE FUNCTION engine.is_true(v jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(v)
        WHEN 'boolean' THEN v = 'true'::jsonb
        WHEN 'string' THEN v #>> '{}' <> '' AND lower(v #>> '{}') <> 'false'
        WHEN 'number' THEN v <> '0'::jsonb
        WHEN 'array' THEN jsonb_array_length(v) > 0
        WHEN 'object' THEN v <> '{}'::jsonb
        ELSE false
    END
$$;

CREATE FUNCTION engine.same(a jsonb, b jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN engine.is_nothing(a) OR engine.is_nothing(b) THEN
            (engine.is_nothing(a) OR a = '""'::jsonb) AND (engine.is_nothing(b) OR b = '""'::jsonb)
        WHEN jsonb_typeof(a) = 'boolean' OR jsonb_typeof(b) = 'boolean' THEN engine.is_true(a) = engine.is_true(b)
        WHEN jsonb_typeof(a) = 'string' AND jsonb_typeof(b) = 'string' THEN a = b
        ELSE a = b OR coalesce(engine.number_in(a) = engine.number_in(b), false)
    END
$$;

CREATE FUNCTION engine.text_of(v jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(v)
        WHEN 'null' THEN ''
        WHEN 'number' THEN trim_scale((v #>> '{}')::numeric)::text
        ELSE coalesce(v #>> '{}', '')
    END
$$;

-- -1, 0 or 1; lists and objects have no order: NULL.
CREATE FUNCTION engine.ordered(a jsonb, b jsonb) RETURNS integer LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    low numeric;
    high numeric;
    first text;
    second text;
BEGIN
    IF jsonb_typeof(a) IN ('array', 'object') OR jsonb_typeof(b) IN ('array', 'object') THEN
        RETURN NULL;
    END IF;
    low := CASE WHEN engine.is_nothing(a) THEN 0 ELSE engine.number_in(a) END;
    high := CASE WHEN engine.is_nothing(b) THEN 0 ELSE engine.number_in(b) END;
    IF low IS NOT NULL AND high IS NOT NULL THEN
        RETURN sign(low - high)::integer;
    END IF;
    first := engine.text_of(a);
    second := engine.text_of(b);
    RETURN CASE WHEN first COLLATE "C" < second COLLATE "C" THEN -1 WHEN first = second THEN 0 ELSE 1 END;
END
$$;

CREATE FUNCTION engine.fits(v jsonb, pattern text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN jsonb_typeof(v) IN ('array', 'object') OR pattern IS NULL THEN false
        WHEN pattern ~ '[%_*]' THEN
            lower(engine.text_of(v) COLLATE "pg_c_utf8") LIKE replace(lower(pattern COLLATE "pg_c_utf8"), '*', '%') ESCAPE ''
        ELSE strpos(lower(engine.text_of(v) COLLATE "pg_c_utf8"), lower(pattern COLLATE "pg_c_utf8")) > 0
            OR pattern = ''
    END
$$;

CREATE FUNCTION engine.holds_within(v jsonb, wanted jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN jsonb_typeof(v) = 'array' THEN
            EXISTS (SELECT 1 FROM jsonb_array_elements(v) AS item WHERE engine.same(item, wanted))
        WHEN jsonb_typeof(v) = 'object' THEN NOT engine.is_nothing(v -> engine.text_of(wanted))
        WHEN jsonb_typeof(wanted) IN ('array', 'object') THEN false
        ELSE engine.text_of(wanted) = ''
            OR strpos(lower(engine.text_of(v) COLLATE "pg_c_utf8"), lower(engine.text_of(wanted) COLLATE "pg_c_utf8")) > 0
    END
$$;

-- Groups of three letters of every word, with the spaces around it.
CREATE FUNCTION engine.trigrams(t text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(padded, at, 3))
    FROM regexp_split_to_table(lower(t COLLATE "pg_c_utf8"), '\W+') AS word,
        LATERAL (SELECT '  ' || word || ' ' AS padded) AS p,
        LATERAL generate_series(1, length(padded) - 2) AS at
    WHERE word <> ''
$$;

-- How much of some wanted trigrams a text has, from 0 to 1.
CREATE FUNCTION engine.likeness(t text, wanted text[]) RETURNS real LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT count(*) FILTER (WHERE strpos(padded, one) > 0)::real / greatest(1, cardinality(wanted))
    FROM (SELECT '  ' || regexp_replace(lower(t COLLATE "pg_c_utf8"), '\W+', '  ', 'g') || ' ' AS padded) AS p,
        unnest(wanted) AS one
$$;

-- The point in time that a text is: NULL when it is none.
CREATE FUNCTION engine.moment_in(t text) RETURNS timestamp LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN t::timestamp;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;
