maxRetries = 3
attempt = 0
success = FALSE
WHILE attempt < maxRetries AND NOT success
   attempt = attempt + 1
   ON ERROR RESUME NEXT
   r = POST "https://x.y", data
   IF ERROR THEN
      PRINT "Attempt " + attempt + " failed: " + ERROR MESSAGE
      WAIT attempt * 2
   ELSE
      success = TRUE
   END IF
   ON ERROR GOTO 0
WEND
IF NOT success THEN
   TALK "Failed after ${maxRetries} attempts"
   SEND MAIL "ops@x.y", "API failure", "Error: ${ERROR}"
END IF
