PARAM document AS FILE LIKE "case.pdf" DESCRIPTION "The document"
PARAM questions AS ARRAY LIKE ["Who sues whom?", "For how much?"] OPTIONAL DESCRIPTION "What to answer"
DESCRIPTION "Summarises a case"
text = READ document
IF LEN(text) = 0 THEN
  RETURN "The document has no text."
END IF
parts = []
size = 3000
start = 1
DO WHILE start <= LEN(text)
  parts.push(MID(text, start, size))
  start = start + size
LOOP
summary = ""
FOR EACH part IN parts
  piece = SUMMARIZE part
  summary = summary + piece + "\n"
NEXT
parties = EXTRACT_BETWEEN(text, "BETWEEN", "AND")
value = VAL(EXTRACT_AFTER(text, "EUR "))
TALK summary
IF value > 0 THEN TALK "Value in dispute: " + FORMAT(value, "C2[de]")
IF questions != NULL THEN
  FOR EACH q IN questions
    TALK "**${q}** " + LLM("Answer from this text only.\n" + summary + "\n" + q)
  NEXT
END IF
