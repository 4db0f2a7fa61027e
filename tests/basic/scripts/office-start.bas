' answers: 2 | show me the sales
' role-based office bot
role = GET "session.role"
IF role = NULL OR role = "" THEN
    role = (GET "session.guest_role" OR "employee")
END IF

SELECT CASE LCASE(role)
    CASE "manager", "director"
        USE KB "management"
        USE KB "policies"
        USE TOOL "sales-report"
        greeting = "Good to see you, boss."
    CASE "employee"
        USE KB "policies"
        greeting = "Hello!"
    CASE "customer"
        USE KB "products.gbkb"
        greeting = "Welcome, dear customer."
    CASE ELSE
        greeting = "Hello, stranger."
END SELECT

TALK greeting
TALK "Where do you want to go?"
HEAR place AS "Policies", "Sales", "People"
SET CONTEXT "place" AS place
SET "session.place", place
TALK "Ask away."
HEAR question
answer = LLM "Answer about " + place + ": " + question
TALK answer
