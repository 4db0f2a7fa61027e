' answers: refund policy | exit
USE KB "policies"
TALK "Search our documents. Say exit to leave."
DO
    HEAR words
    IF LCASE(words) = "exit" THEN EXIT DO
    hit = THINK KB words
    IF hit = NULL OR hit.confidence < 0.3 THEN
        TALK "I found nothing about *${words}*."
    ELSE
        TALK hit.summary
        n = 0
        FOR EACH r IN hit.results
            n = n + 1
            TALK n + ") " + r.title
            IF n >= 3 THEN EXIT FOR
        NEXT
    END IF
LOOP
ON ERROR RESUME NEXT
code = QR CODE "https://example.com/search", 300, "search.png"
SEND FILE "search.png", "Take it with you"
