PARAM to AS EMAIL LIKE "ana@example.com" DESCRIPTION "Who gets it"
PARAM subject AS STRING LIKE "Hello" DESCRIPTION "Subject"
PARAM body AS STRING LIKE "How are you?" DESCRIPTION "Text"
DESCRIPTION "Sends a mail"
IF to = "" OR NOT CONTAINS(to, "@") THEN
    TALK "That is no address."
    RETURN
END IF
SEND MAIL to, subject, body
TALK "Sent to ${to}."
