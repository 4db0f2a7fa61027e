' answers: billing | it is about my invoice
' before a person takes over
SUB leave_a_note()
    TALK "Leave a note and we call you back."
    HEAR note
    SAVE "notes", #{ who: user_id, note: note, at: NOW() }
    TALK "Thank you!"
END SUB

TALK "Which department?"
HEAR department AS CHOICE "sales", "billing", "support"
ON ERROR RESUME NEXT
online = GET ATTENDANTS "online"
IF ERROR OR UBOUND(online) = 0 THEN
    CLEAR ERROR
    ON ERROR GOTO 0
    CALL leave_a_note()
    STOP
END IF
TRANSFER TO HUMAN department
