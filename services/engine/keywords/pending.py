"""Keywords whose turn has not come yet: they parse, and raise when they are reached."""

from services.engine.keywords.keyword import Effect, Keyword

NAMES = """
FIND, FIND ALL, FIND_ONE, SAVE, INSERT, INSERT INTO, UPDATE, DELETE, DELETE FROM, MERGE, AGGREGATE, FILTER, MAP,
PIVOT, GROUP BY, SEARCH, IMPORT, EXPORT, QUERY, QUERY METRICS, SELECT, SYNCHRONIZE, CACHE GET, CACHE SET, REPORT,
RESET REPORT, ALLOW ROLE, BEGIN TRANSACTION, COMMIT TRANSACTION, COMMIT, SAVE FROM UNSTRUCTURED, SEARCH PRODUCTS,
PRODUCT, PRODUCTS, AUTOCOMPLETE, CREATE INDEX, READ, WRITE, COPY, MOVE, LIST, DIR, DELETE FILE, COMPRESS, EXTRACT,
UPLOAD, DOWNLOAD, GENERATE PDF, MERGE PDF, CONVERT, QR CODE, GENERATE SECURE LINK, PARSE_CSV, SCAN BARCODE, CARD,
CHART, CALL SERVICE, VALIDATE, PUBLISH EVENT
"""
KEYWORDS = tuple(
    Keyword(
        name=name,
        group="pending",
        summary=f"{name}.",
        forms=(f"{name} [<what:anything>]",),
        effect=Effect.WRITE,
        example=name,
        needs="its turn",
    )
    for name in (" ".join(item.split()) for item in NAMES.split(","))
)
