' answers: How many orders in March?
schema = "orders(id, customer, total, created_at), customers(id, name, city)"
SET ANSWER MODE "sql"
TALK "What do you want to know?"
HEAR question
BEGIN SYSTEM PROMPT
You write one SELECT statement of PostgreSQL for a question. Only SELECT. No comments, no ```.
END SYSTEM PROMPT
sql = LLM "Schema: " + schema + "\nQuestion: " + question + "\nSQL:"
sql = REPLACE(REPLACE(TRIM(sql), "```sql", ""), "```", "")
IF NOT STARTSWITH(UCASE(sql), "SELECT") THEN
  TALK "I did not understand."
  sql = "SELECT COUNT(*) AS n FROM orders"
END IF
rows = QUERY sql
IF UBOUND(rows) = 0 THEN
  TALK "Nothing found."
ELSE
  FOR EACH row IN rows
    line = ""
    FOR EACH k IN KEYS(row)
      line = line & k & ": " & row[k] & "  "
    NEXT
    TALK line
  NEXT
END IF
