' answers: Lisbon | 8 | b
REM A quiz of three questions.
questions = [
    #{ text: "What is the capital of Portugal?", answer: "lisbon" },
    #{ text: "How many legs does a spider have?", answer: "8" },
    #{ text: "Which is larger: (a) the moon, (b) the earth?", answer: "b" }
]
points = 0
n = 0
nextQuestion:
IF n >= UBOUND(questions) THEN GOTO done
q = questions[n]
TALK "Question " + (n + 1) + ": " + q.text
HEAR reply
IF LCASE(TRIM(reply)) = q.answer THEN
    points = points + 1
    TALK "Right!"
ELSE
    TALK "No, it is " + UCASE(q.answer) + "."
END IF
n = n + 1
GOTO nextQuestion
done:
grade = ROUND(points / UBOUND(questions) * 20, 1)
TALK "You have ${points} of ${UBOUND(questions)}: ${grade}."
SAVE "grades", user_id, grade, points
IF grade >= 10 THEN
    TALK "Passed 🎉"
ELSE
    TALK "Try again tomorrow."
END IF
