REM statistics about the knowledge base, once a day
SET SCHEDULE "every day at midnight"
stats = KB STATISTICS
count = KB DOCUMENTS COUNT
fresh = KB DOCUMENTS ADDED SINCE 7
collections = KB LIST COLLECTIONS
FOR EACH c IN collections
    s = KB COLLECTION STATS c
    PRINT c, s
NEXT
text = "Documents: ${count}\nNew this week: ${fresh}\nCollections: ${UBOUND(collections)}"
SET BOT MEMORY "kb_stats" AS text
TALK text
