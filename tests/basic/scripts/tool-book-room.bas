PARAM room AS STRING LIKE "Reading room 2" DESCRIPTION "Name of the room"
PARAM day AS DATE LIKE "2026-04-01" DESCRIPTION "Day of the booking, as the person says it"
PARAM hour AS TIME LIKE "14:00" DESCRIPTION "When it begins"
PARAM people AS INTEGER LIKE 4 OPTIONAL DESCRIPTION "How many will come"

DESCRIPTION "Books a reading room. Call it when somebody wants a place to read, to study or to meet."

taken = FIND "bookings", "room=" + room + " AND day=" + day + " AND hour=" + hour
IF taken THEN
    TALK "I am sorry, ${room} is taken on ${day} at ${hour}."
    RETURN
END IF

IF people = NULL THEN
    people = 1
END IF

booking = NEW OBJECT
booking.room = room
booking.day = day
booking.hour = hour
booking.people = people
booking.who = username
booking.created = NOW()

SAVE "bookings", booking
TALK "Done: ${room}, ${FORMAT(day, "dd/MM/yyyy")} at ${hour}, for ${people}."
RETURN booking
