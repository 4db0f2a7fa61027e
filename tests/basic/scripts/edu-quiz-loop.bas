' answers: 4 | Paris
score = 0
questions = [
  #{ q: "2+2?", a: "4", options: ["3", "4", "5"] },
  #{ q: "Capital of France?", a: "Paris", options: ["Paris", "Lyon"] }
]
FOR i = 0 TO UBOUND(questions) - 1
  q = questions[i]
  TALK "Q${i + 1}: ${q.q}"
  FOR EACH o IN q.options
    ADD SUGGESTION o AS o
  NEXT o
  HEAR ans AS q.options
  IF ans = q.a THEN
     score += 1
     TALK "✅ Correct!"
  ELSE
     TALK "❌ Wrong, it's " + q.a
  END IF
NEXT i
TALK "Score: ${score}/${UBOUND(questions)} (${score / UBOUND(questions) * 100}%)"
