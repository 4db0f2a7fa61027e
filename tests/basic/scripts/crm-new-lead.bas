PARAM company  AS STRING LIKE "Acme Tea"        DESCRIPTION "Company of the lead"
PARAM contact  AS NAME   LIKE "Maria Silva"     DESCRIPTION "Person to talk to"
PARAM email    AS EMAIL  LIKE "maria@acme.test" DESCRIPTION "E-mail of the person"
PARAM size     AS INTEGER LIKE 50               DESCRIPTION "How many people work there"
PARAM interest AS STRING ENUM ["demo","price","support"] DESCRIPTION "What they asked about"
PARAM source   AS STRING DEFAULT "web" OPTIONAL DESCRIPTION "Where they came from"

DESCRIPTION "Records a new lead, scores it and tells the right seller"

existing = FIND "leads", "email=" + email
IF existing != NULL THEN
    TALK "We know " + contact + " already."
    RETURN existing
END IF

score = 0
SELECT CASE size
    CASE 0 TO 9
        score = 10
    CASE 10 TO 99
        score = 30
    CASE > 99
        score = 60
END SELECT

SWITCH interest
    CASE "demo"
        score = score + 30
    CASE "price"
        score = score + 20
    DEFAULT
        score = score + 5
END SWITCH

status = IIF(score >= 60, "hot", IIF(score >= 35, "warm", "cold"))

WITH lead
    .company = company
    .contact = contact
    .email = email
    .size = size
    .score = score
    .status = status
    .source = source OR "unknown"
    .created_at = NOW()
END WITH
SAVE "leads", lead

IF status = "hot" THEN
    seller = FIND_ONE "sellers", "region=north"
    SEND MAIL seller.email, "Hot lead: ${company}", "Call ${contact} <${email}> today. Score: ${score}"
END IF

TALK "Recorded ${contact} of ${company} (${status})."
