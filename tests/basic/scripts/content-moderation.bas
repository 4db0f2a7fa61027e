PARAM text AS STRING LIKE "You are all great" DESCRIPTION "Text to look at"
DESCRIPTION "Says whether a text may be shown"
bad = ["spam", "scam", "idiot"]
hits = []
lower = LCASE text
FOR EACH word IN bad
    IF INSTR(lower, word) > 0 THEN
        hits[UBOUND(hits)] = word
    END IF
NEXT word
verdict = "ok"
IF UBOUND(hits) > 0 THEN
    verdict = "blocked"
ELSE
    answer = LLM "Reply with one word, ok or blocked. Is this fit for children? " + text
    IF UCASE(LEFT(TRIM(answer), 7)) = "BLOCKED" THEN verdict = "blocked"
END IF
INSERT INTO "moderation" WITH text = text, verdict = verdict, words = JOIN(hits, ","), at = NOW()
RETURN #{ verdict: verdict, words: hits }
