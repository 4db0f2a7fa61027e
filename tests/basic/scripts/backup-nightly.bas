SET SCHEDULE "0 0 3 * * *"
stamp = FORMAT(NOW(), "yyyyMMdd-HHmmss")
files = LIST "reports"
names = []
FOR EACH f IN files
    IF f.name LIKE "%.pdf" OR f.name LIKE "%.xlsx" THEN
        PUSH names, "reports/" + f.name
    END IF
NEXT
IF UBOUND(names) = 0 THEN
    PRINT "nothing to keep"
    END
END IF
COMPRESS names, "backups/reports-" + stamp + ".zip"
old = LIST "backups" FILTER "*.zip"
FOR EACH f IN old
    age = DATEDIFF(f.modified, NOW(), "days")
    IF age > 30 THEN
        DELETE FILE "backups/" + f.name
    END IF
NEXT
WRITE "backup " + stamp + " of " + UBOUND(names) + " files" TO "backups/log.txt" APPEND
