' answers: my invoice is wrong
ADD BOT "billing" WITH TRIGGER "invoice, payment, refund"
ADD BOT "tech" WITH TRIGGER "error, crash, slow"
ADD BOT "boss" TRIGGER ON "complaint, lawyer"
USE KB "faq"
TALK "How can I help?"
HEAR problem
mood = SENTIMENT problem
kind = CLASSIFY problem, ["billing", "tech", "other"]
IF kind = "billing" THEN
    reply = DELEGATE problem TO BOT "billing"
        TIMEOUT 30
ELSEIF kind = "tech" THEN
    reply = DELEGATE problem TO BOT "tech" TIMEOUT 30
ELSE
    reply = LLM "Be kind and brief: " + problem
END IF
TALK reply OR "Somebody will call you."
ON ERROR RESUME NEXT
IF mood = "negative" THEN TRANSFER TO HUMAN "support", "high", problem
IF ERROR THEN TALK "Nobody is here right now; we will write to you."
