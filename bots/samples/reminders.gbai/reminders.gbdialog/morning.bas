' Runs by itself on working days.
SET SCHEDULE "0 8 * * 1-5"
count = GET BOT MEMORY "mornings"
IF ISNULL(count) THEN count = 0
count = count + 1
SET BOT MEMORY "mornings", count
PRINT "good morning", count
