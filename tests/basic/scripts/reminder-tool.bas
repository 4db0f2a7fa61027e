PARAM what AS STRING LIKE "call mum" DESCRIPTION "What to be reminded of"
PARAM when AS DATETIME LIKE "2026-03-14 18:00" DESCRIPTION "When"
PARAM repeat AS STRING ENUM ["never", "daily", "weekly"] DEFAULT "never" OPTIONAL DESCRIPTION "How often"
DESCRIPTION "Reminds somebody of something at a time"
minutes = DATEDIFF(NOW(), when, "minutes")
IF minutes <= 0 THEN
    TALK "That is in the past."
    RETURN
END IF
reminder = {
    "id": UUID(),
    "user": user_id,
    "what": what,
    "when": when,
    "repeat": NVL(repeat, "never")
}
SAVE "reminders", reminder
IF minutes < 60 THEN
    TALK "In ${minutes} minutes: ${what}."
ELSEIF minutes < 24 * 60 THEN
    TALK "In ${FLOOR(minutes / 60)} hours and ${minutes MOD 60} minutes: ${what}."
ELSE
    TALK "On " + FORMAT(when, "dd/MM") + " at " + FORMAT(when, "HH:mm") + ": " + what
END IF
