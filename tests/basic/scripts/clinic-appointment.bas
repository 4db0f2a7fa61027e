PARAM patientname AS STRING LIKE "Ana Silva" DESCRIPTION "Patient's full name"
PARAM birth AS DATE LIKE "1990-05-01" DESCRIPTION "Date of birth (YYYY-MM-DD)"
PARAM phone AS PHONE LIKE "+55 11 99999-9999" DESCRIPTION "Phone, with area code"
PARAM when AS DATETIME LIKE "2026-02-10 14:30" OPTIONAL DESCRIPTION "Wanted time"
PARAM reason AS STRING ENUM ["checkup", "pain", "return"] DESCRIPTION "Why they come"
PARAM price AS MONEY DEFAULT 0 DESCRIPTION "Price, e.g. 120.50"

DESCRIPTION "Books an appointment for a patient; call it once you've all data"

id = "APT-" + FORMAT(NOW(), "YYYYMMDD") + "-" + FORMAT(RANDOM(1000, 9999), "0000")
SAVE "appointments.csv", id, patientname, birth, phone, when, reason, price, NOW()

SET BOT MEMORY "last_appointment", id

TALK "Thank you, ${patientname}! Your appointment ${id} is confirmed for ${FORMAT(when, "dd/MM/yyyy HH:mm")}."
SEND EMAIL "desk@clinic.example", "New appointment: " + id + " - " + patientname
RETURN id
