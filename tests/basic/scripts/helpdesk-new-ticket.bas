' answers: The printer on floor 3 is on fire | 4 | yes
TALK "Describe the problem, please."
HEAR description AS STRING

category = LLM "Classify this problem as one word of hardware, software, network, access: " + description
    WITH OPTIMIZE FOR "speed"
category = LCASE(TRIM(category))

IF category NOT IN ["hardware", "software", "network", "access"] THEN
    category = "other"
END IF

TALK "How bad is it?"
HEAR urgency AS "A wish", "It slows me down", "I cannot work", "Danger"

SELECT CASE urgency
CASE "Danger"
    priority = 1
CASE "I cannot work"
    priority = 2
CASE "It slows me down", "It's slow"
    priority = 3
CASE ELSE
    priority = 4
END SELECT

number = "T-" + FORMAT(NOW(), "yyyyMMdd") + "-" + RANDOM(1000, 9999)
due = DATEADD(NOW(), priority * 4, "hours")

ticket = #{
    number: number,
    who: user_id,
    category: category,
    priority: priority,
    description: description,
    status: "open",
    due: due
}
SAVE "tickets", ticket

TALK "Your ticket is **${number}**. Somebody answers before ${FORMAT(due, "HH:mm")}."
IF priority <= 2 THEN
    TALK "Shall I call a technician now?"
    HEAR call_now AS BOOLEAN
    IF call_now THEN
        SEND SMS "+351910000000", "${number}: ${LEFT(description, 100)}"
        TALK "Done."
    END IF
END IF
