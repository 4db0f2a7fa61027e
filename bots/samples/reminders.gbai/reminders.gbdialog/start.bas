' A menu, memory, and lines that run later.
name = GET USER MEMORY "name"
IF ISNULL(name) THEN
  TALK "Who are you?"
  HEAR name AS NAME
  SET USER MEMORY "name", name
END IF
TALK "Hello, ${name}. What shall I do?"
HEAR wanted AS "Remind me", "Nothing"
IF wanted = "Nothing" THEN
  TALK "Very well."
  END
END IF
TALK "Of what?"
HEAR what
TALK "In how many minutes?"
HEAR minutes AS INTEGER
SCHEDULE IN MINUTES MINUTES DO
  TALK "${name}, do not forget: ${what}"
END SCHEDULE
TALK "I will, at ${FORMAT(DATEADD(NOW(), minutes, "minute"), "HH:mm")}."
