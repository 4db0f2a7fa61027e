SET USER MEMORY "last_seen", NOW()
visits = GET USER MEMORY("visits")
IF ISEMPTY(visits) THEN visits = 0
visits = VAL(visits) + 1
SET USER MEMORY "visits", visits
IF visits > 1 THEN
    TALK "Welcome back, ${username}! This is visit number ${visits}."
ELSE
    TALK "Welcome!"
ENDIF
