DESCRIPTION "Shows a picture of a dog when somebody is sad or asks for a dog"
ON ERROR RESUME NEXT
data = GET "https://dog.example.com/api/breeds/image/random"
IF ERROR OR data.message = NULL THEN
    TALK "No dogs today."
ELSE
    TALK data.message
END IF
