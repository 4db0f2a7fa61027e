PARAM event AS STRING LIKE "Concert" DESCRIPTION "Which event"
PARAM seats AS INTEGER LIKE 2 DEFAULT 1 OPTIONAL DESCRIPTION "How many seats"
DESCRIPTION "Makes tickets with a QR code"
tickets = []
FOR n = 1 TO seats STEP 1
    code = UCASE(LEFT(REPLACE(UUID(), "-", ""), 8))
    tickets[UBOUND(tickets)] = #{ code: code, seat: "A" + n, event: event }
END FOR
FOR EACH t IN tickets
    SAVE "tickets", t
    picture = QR CODE t.code
    SEND FILE picture, "${t.event}, seat ${t.seat}"
NEXT
TALK "Enjoy ${event}!"
