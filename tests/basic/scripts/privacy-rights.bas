' answers: Get a copy of my data | ana@example.com
let title = "Your rights (GDPR / LGPD)"
TALK title
ADD SUGGESTION "copy" AS "Get a copy of my data"
ADD SUGGESTION "erase" AS "Erase my data"
TALK "What do you want to do?"
HEAR what AS "Get a copy of my data", "Erase my data", "Correct my data", "Withdraw consent"
TALK "Which e-mail is it about?"
HEAR email AS EMAIL

request_id = UUID()
deadline = DATEADD(TODAY(), 30, "days")

IF what = "Erase my data" THEN
    rows = FIND "people", "email=" + email
    FOR EACH row IN rows
        DELETE "people", "id=" + row.id
    NEXT
    kind = "erasure"
ELSE IF what = "Get a copy of my data" THEN
    person = FIND "people", "email=${email}"
    orders = FIND ALL "orders" WHERE email = email ORDER BY created_at DESC LIMIT 10
    copy = NEW OBJECT
    copy.person = person
    copy.orders = orders
    kind = "access"
ELSEIF what = "Correct my data" THEN
    kind = "rectification"
ELSE
    kind = "consent"
END IF

INSERT "privacy_requests", #{ id: request_id, kind: kind, email: email, deadline: deadline, status: "open" }

BEGIN MAIL ${email}
Subject: Your request ${request_id}

Hello,

we have your request (${kind}) and answer before ${FORMAT(deadline, "dd/MM/yyyy")}.

The team
END MAIL

TALK "Your request is **" + kind + "**, number " + request_id + "."
