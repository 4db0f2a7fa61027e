"""One registry describes every keyword: the parser, the analyzer and the runtime ask it.

Third parties add keywords through the entry point group `parley.keywords`: each entry is a `Keyword`.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points


def words(text: str) -> frozenset[str]:
    """A set of words."""
    return frozenset(text.split())


FUNCTIONS = words(
    """
    LEN LEFT RIGHT MID TRIM LTRIM RTRIM UCASE UPPER LCASE LOWER REPLACE SPLIT INSTR CONTAINS STARTSWITH ENDSWITH
    CAPITALIZE EXTRACT_BETWEEN EXTRACT_AFTER EXTRACT_BEFORE ASC CHR FORMAT ABS INT FIX FLOOR CEIL CEILING ROUND
    SQR SQRT POW POWER SGN EXP LOG10 SIN COS TAN ASIN ACOS ATAN ATN PI RND RANDOM MAX MIN SUM AVG AVERAGE COUNT
    NOW TODAY TIMESTAMP NOW_UTC YEAR MONTH DAY HOUR MINUTE SECOND WEEKDAY DATEADD DATEDIFF DATEVALUE TIMEVALUE
    EOMONTH FORMAT_DATE ISDATE DAYS_BETWEEN HOURS_BETWEEN SECONDS_BETWEEN ADD_DAYS UBOUND LBOUND SIZE PUSH
    APPEND POP SHIFT UNSHIFT PREPEND SLICE TAKE DROP HEAD TAIL INIT SORT REVERSE UNIQUE DISTINCT CONCAT FLATTEN
    RANGE BATCH CHUNK JOIN INDEX_OF LAST_INDEX_OF IN_ARRAY INCLUDES HAS FIRST LAST VAL STR CINT CDBL CSTR CBOOL
    CDATE TYPEOF ISNULL ISEMPTY ISARRAY ISNUMBER ISNUMERIC ISSTRING ISBOOL NVL COALESCE IFNULL IIF CHOOSE UUID
    GUID JSON TOJSON IS_ERROR KEYS VALUES MOD STRING STR_REPEAT
    """
)
STATEMENTS = words(
    """
    TALK HEAR PRINT LOG LET SET DIM IF ELSE ELSEIF FOR NEXT WHILE WEND DO LOOP SELECT CASE SWITCH DEFAULT SUB
    FUNCTION CALL RETURN EXIT BREAK CONTINUE END STOP GOTO ON TRY CATCH THROW RAISE ASSERT WITH ADD CLEAR WAIT
    PARAM DESCRIPTION USE GET LLM REM
    """
)
# Heads of documented keywords whose service this installation does not have yet: they parse and compile, and at run
# time give an error that a script can catch.
LATER = words(
    """
    FIND SAVE INSERT UPDATE DELETE MERGE AGGREGATE FILTER MAP PIVOT GROUP FILL TABLE FIELD SEARCH IMPORT EXPORT
    QUERY POST PUT PATCH GRAPHQL SOAP RSS SCRAPE READ WRITE COPY MOVE LIST DIR COMPRESS EXTRACT UPLOAD DOWNLOAD
    GENERATE CONVERT QR SEND CREATE BROADCAST NOTIFY START SCHEDULE WEBHOOK TRANSFER ASSIGN RESOLVE TAG SCORE
    QUALIFY BOOK WEATHER FORECAST RECORD AUDIT SECURITY REMEMBER RECALL REWRITE SUMMARIZE TRANSLATE CLASSIFY
    SENTIMENT OCR CALCULATE VALIDATE SEE IMAGE VIDEO AUDIO CHART DETECT RUN DELEGATE ORCHESTRATE PUBLISH REQUIRE
    PLAN AUTO DECIDE ESCALATE REMOVE REFRESH PLAY PAUSE RESUME CARD THINK KB INCLUDE OPEN CLICK HOVER PRESS
    SCREENSHOT SYNCHRONIZE CACHE REPORT RESET ALLOW BEGIN COMMIT ANALYZE POLISH BULK_SEND SAVE_FROM_UNSTRUCTURED
    GPIO ADD_MEMBER CREATE_TASK CREATE_SITE BOOK_MEETING CHECK_AVAILABILITY
    """
)


@dataclass(frozen=True, slots=True)
class Keyword:
    """name: head word; effect: pure, idempotent or side_effect; documentation and an example for the manual."""

    name: str
    effect: str
    documentation: str = ""
    example: str = ""


@lru_cache(maxsize=1)
def added() -> dict[str, Keyword]:
    """Keywords of third parties, by name."""
    found = [entry.load() for entry in entry_points(group="parley.keywords")]
    return {item.name.upper(): item for item in found if isinstance(item, Keyword)}


EFFECTS = {
    "llm": "idempotent",
    "get_variable": "pure",
    "kb_search": "pure",
    "unavailable": "pure",
}


def effect_of(kind: str) -> str:
    """What repeating an effect after a crash would do."""
    keyword = added().get(kind.upper())
    return EFFECTS.get(kind) or (keyword.effect if keyword else "side_effect")


def heads() -> frozenset[str]:
    """Every word a statement may begin with."""
    return STATEMENTS | LATER | frozenset(added())
