' answers: Opening hours
' The first thing a visitor of the city library sees.
let hours = GET BOT MEMORY("hours")
let events = GET BOT MEMORY("events")
let rooms  = GET BOT MEMORY("rooms")

SET CONTEXT "hours" AS hours
SET CONTEXT "events" AS events
SET CONTEXT "rooms" AS rooms

CLEAR SUGGESTIONS
ADD SUGGESTION "hours" AS "Opening hours"
ADD SUGGESTION "events" AS "What is on this week?"
ADD SUGGESTION "rooms" AS "Book a reading room"
ADD_SUGGESTION "card" AS "I lost my card"

USE KB "library"
USE TOOL "book-room"
ADD TOOL "lost-card"

BEGIN TALK
**Welcome to the library!** 📚

I can tell you about:

- opening hours
- events and courses
- reading rooms

Today is ${FORMAT(NOW(), "dd/MM/yyyy")}.
END TALK

BEGIN SYSTEM PROMPT
You are the voice of a small city library.
Answer in the reader's language, in at most three sentences.
Never promise a book that isn't in the catalogue: say "I will ask a colleague".
END SYSTEM PROMPT

HEAR wish
IF wish CONTAINS "hours" THEN
    TALK hours OR "Ask at the desk, please."
ELSE IF wish = "" THEN
    TALK "See you!"
END IF
