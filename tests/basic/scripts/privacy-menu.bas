' answers: 2 | yes
TALK "1 - Access\n2 - Delete"
HEAR opt
SELECT CASE opt
 CASE "1", "access"
   SET CONTEXT "x" AS "y"
 CASE "2"
   HEAR sure AS BOOLEAN
   IF sure THEN
     DELETE "users", "id=" + user_id
     CLEAR USER MEMORY
     AUDIT LOG "deleted", user_id
   END IF
END SELECT
request_id = "REQ-" + FORMAT(NOW(), "yyyyMMddHHmmss")
deadline = FORMAT(DATEADD(NOW(), 15, "day"), "dd/MM/yyyy")
INSERT "privacy_requests", #{ id: request_id, user: user.email, type: "delete", created: NOW(), deadline: deadline }
WRITE "/privacy/" + request_id + ".json", TOJSON(data)
link = GENERATE SECURE LINK "/privacy/x.json" EXPIRES 7 DAYS
SEND MAIL user.email, "Request ${request_id}", "Your data: ${link}"
