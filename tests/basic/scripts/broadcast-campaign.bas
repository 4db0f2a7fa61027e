PARAM message AS STRING LIKE "Half price today" DESCRIPTION "What to say; {{name}} is the name"
PARAM list AS STRING LIKE "customers.csv" DESCRIPTION "File with name and phone"
DESCRIPTION "Sends a message to everyone of a list"
#
# 2025-02: the list may be a table too
#
people = FIND list, "optin=yes"
IF ISNULL(people) THEN
    TALK "That list is empty."
    RETURN
END IF
count = 0
FOR EACH person IN people DO
    text = REPLACE(message, "{{name}}", person.name)
    phone = REPLACE(person.phone, " ", "")
    IF LEN(phone) < 10 THEN CONTINUE
    IF LEFT(phone, 1) <> "+" THEN phone = "+" & phone
    TALK TO "whatsapp:" + phone, text
    count = count + 1
    IF count MOD 20 = 0 THEN WAIT 5
END FOR
TALK count + " messages on their way."
