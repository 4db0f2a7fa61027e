SET SCHEDULE "every day at 8am"

today_text = FORMAT NOW(), "yyyy-MM-dd"
appointments = FIND "appointments", "day=" + today_text + ", status=confirmed"

IF UBOUND(appointments) = 0 THEN
    PRINT "nobody to remind"
    END
END IF

sent = 0
failed = 0
FOR EACH a IN appointments
    message = "Hello " + a.name + ", we expect you today at " + a.hour + "."
    ON ERROR RESUME NEXT
    IF a.channel = "sms" THEN
        SEND SMS a.phone, message
    ELSEIF a.channel = "mail" THEN
        SEND MAIL a.email, "Your appointment today", message
    ELSE
        TALK TO "whatsapp:" + a.phone, message
    END IF
    IF ERROR THEN
        failed = failed + 1
        PRINT "could not reach " + a.name + ": " + ERROR MESSAGE
        CLEAR ERROR
    ELSE
        sent = sent + 1
        UPDATE "appointments", "id=" + a.id, #{ reminded: true, reminded_at: NOW() }
    END IF
    ON ERROR GOTO 0
    WAIT 1
NEXT a

PRINT sent, "sent,", failed, "failed"
