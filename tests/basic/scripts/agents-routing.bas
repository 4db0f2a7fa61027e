msg = LCASE(message)
IF msg CONTAINS "refund" OR msg CONTAINS "money back" THEN
  answer = DELEGATE message TO BOT "billing" TIMEOUT 30
ELSE IF INSTR(msg, "broken") > 0 THEN
  answer = DELEGATE message TO BOT "support"
ELSE
  answer = LLM message
END IF
IF answer = NULL THEN
  TRANSFER TO HUMAN "support", "high", "No answer for: " + message
ELSE
  TALK answer
END IF
BOT SHARE MEMORY "customer" WITH "billing"
