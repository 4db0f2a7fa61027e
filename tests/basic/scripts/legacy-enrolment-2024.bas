' answers: Ana Souza | 12/05/1999 | ana@example.com | (11) 98765-4321 | yes
PARAM curso AS string LIKE "Pedagogy" DESCRIPTION "Course the person wants"
DESCRIPTION This is called when somebody wants to enrol in a course

TALK Welcome to the enrolment of our school!
TALK I will ask a few things, it won't take long.

TALK What is your full name?
HEAR name AS NAME

TALK Nice to meet you, ${name}. When were you born?
HEAR birth AS DATE

TALK “Your e-mail?”
HEAR email AS EMAIL

TALK "And a phone number?"
HEAR phone AS MOBILE

text = "Name: " + name + ", born " + birth + ", " + email + ", " + phone
TALK "Please check: " + text
TALK "Is that right?"
HEAR confirm AS BOOLEAN

IF confirm THEN
  id = RANDOM(100000, 999999)
  SAVE "enrolments.csv", id, name, birth, email, phone, curso
  TALK "Thank you! Your number is " + id + "."
ELSE
  TALK No problem, let us start again another day.
END IF
