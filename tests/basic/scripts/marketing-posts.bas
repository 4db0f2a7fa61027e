' answers: summer sale | ok
TALK "What is the campaign about?"
HEAR subject
brief = BEGIN_OF(subject)
texts = []
FOR i = 1 TO 3
    t = LLM "Write post number ${i} about ${subject}. Under 200 characters. " + brief
    PUSH texts, t
NEXT
FOR i = 0 TO 2
    TALK (i + 1) + ". " + texts[i]
NEXT
TALK "Shall I plan them?"
HEAR ok
IF LCASE(ok) IN ["ok", "yes", "sim"] THEN
    FOR i = 0 TO 2
        when = DATEADD(TODAY(), i + 1, "days")
        SAVE "posts", #{ text: texts[i], when: when + " 09:00", network: "instagram" }
    NEXT
    TALK "Planned."
END IF

FUNCTION begin_of(s)
    RETURN "Begin with " + UCASE(LEFT(s, 1))
END FUNCTION
