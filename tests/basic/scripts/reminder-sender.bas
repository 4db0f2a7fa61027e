SET SCHEDULE "* * * * *"
due = FIND ALL "reminders" WHERE done = FALSE AND when <= NOW() LIMIT 50
FOR EACH r IN due
    TALK TO r.user, "⏰ " + r.what
    IF r.repeat = "daily" THEN
        UPDATE "reminders", "id=" + r.id, { when: DATEADD(r.when, 1, "day") }
    ELSEIF r.repeat = "weekly" THEN
        UPDATE "reminders", "id=" + r.id, { when: DATEADD(r.when, "weeks", 1) }
    ELSE
        UPDATE "reminders" SET done = TRUE WHERE id = r.id
    END IF
NEXT
