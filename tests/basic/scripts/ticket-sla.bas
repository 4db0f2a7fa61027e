PARAM title AS STRING LIKE "Printer" DESCRIPTION "Short"
PARAM prio AS STRING LIKE "high" DESCRIPTION "low, medium, high"
DESCRIPTION "Open ticket"
ticket_id = "TCK-" & FORMAT(NOW(), "yyyyMMdd") & "-" & RIGHT("0000" & RANDOM(1, 9999), 4)
SELECT CASE LCASE(prio)
    CASE "high", "urgent", "critical"
        sla = 4
        icon = "🔴"
    CASE "medium"
        sla = 24
        icon = "🟡"
    CASE ELSE
        sla = 72
        icon = "🟢"
END SELECT
due = DATEADD(NOW(), sla, "hours")
INSERT INTO "tickets" WITH id = ticket_id, title = title, priority = prio, due_at = due, status = "open", opened_by = username
history = FIND "tickets", "opened_by='" + username + "'"
cnt = COUNT(history)
hours = DATEDIFF(NOW(), due, "hour")
msg = icon & " Ticket *" & ticket_id & "* opened. SLA: " & sla & "h (" & FORMAT(due, "dd/MM HH:mm") & ")"
IF cnt > 5 THEN msg = msg & "\nYou've " & cnt & " tickets."
SET BOT MEMORY "last_ticket", ticket_id
TALK msg
NOTIFY "it@example.com", msg
