PARAM date AS DATE LIKE "2026-05-01" DESCRIPTION "Day"
PARAM time AS TIME LIKE "10:00" DESCRIPTION "Hour"
DESCRIPTION "books"
slots = CHECK_AVAILABILITY date, 60
existing = FIND "appointments", "date='" + date + "' AND time='" + time + "'"
IF existing <> NULL THEN
  RETURN #{ ok: FALSE, message: "Taken" }
END IF
IF WEEKDAY(date) = 1 OR WEEKDAY(date) = 7 THEN
  RETURN "Closed on weekends"
END IF
IF HOUR(time) < 9 OR HOUR(time) >= 18 THEN RETURN "Out of hours"
IF DATEDIFF(NOW(), date, "day") < 0 THEN RETURN "Past"
id = UUID()
BOOK "Visit", "With " + username, date + " " + time, 60, "Room 1"
SAVE "appointments", id, date, time, username
SET REMINDER "x"
RETURN "Booked " + FORMAT(date, "dddd, dd MMMM") + " at " + time
