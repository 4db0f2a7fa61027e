' answers: @text/plain drive://notes.txt | summary
TALK "Send me a file."
HEAR f AS FILE
content = READ f
lines = SPLIT(content, "\n")
TALK "It has ${UBOUND(lines)} lines."
TALK "What do you want?"
HEAR what AS "summary", "words", "copy"
IF what = "summary" THEN
    TALK LLM("Summarise:\n" + LEFT(content, 4000))
ELSEIF what = "words" THEN
    TALK COUNT(SPLIT(content, " "))
ELSE
    COPY f TO "archive/" + FORMAT(NOW(), "yyyyMMdd") + ".txt"
END IF
