PARAM from AS EMAIL LIKE "a@b.c" DESCRIPTION "Sender"
PARAM subject AS STRING LIKE "Help" DESCRIPTION "Subject"
PARAM body AS STRING LIKE "text" DESCRIPTION "Body"
PARAM attachments AS ARRAY LIKE [] DESCRIPTION "Files"

DESCRIPTION "Called when an email arrives"

category = LLM "Classify this mail as sales, support or spam. Answer with one word: " + subject + " " + body
category = LCASE(TRIM(category))
SWITCH category
    CASE "sales"
        CREATE TASK "Call " + from, "sales@e.com", DATEADD(TODAY, 1, "day")
    CASE "support"
        SAVE "tickets", #{ from: from, subject: subject, body: body, status: "open", created: NOW() }
    DEFAULT
        PRINT "ignored"
END SWITCH

FOR EACH file IN attachments
    UPLOAD file.url TO "/inbox/" + FORMAT(TODAY, "yyyy-MM-dd") + "/" + file.name
NEXT file
