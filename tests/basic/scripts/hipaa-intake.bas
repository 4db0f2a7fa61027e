' answers: yes | Ana Maria | 01/02/1980 | Cough; fever | none | 38,5
BEGIN SYSTEM PROMPT
You help with the intake of patients. You never give a diagnosis.
Emergency words ("chest pain", "can't breathe") => tell them to call 112.
END SYSTEM PROMPT

TALK "Before we begin: your answers are kept encrypted and read by your doctor only. Do you agree?"
HEAR agrees AS BOOLEAN
IF NOT agrees THEN
    AUDIT LOG "consent refused", user_id
    TALK "Then please call the clinic."
    STOP
END IF
AUDIT LOG "consent given", user_id

TALK "Name?"
HEAR patient AS NAME
TALK "Date of birth?"
HEAR born AS DATE
age = DATEDIFF(born, TODAY(), "years")
IF age < 0 OR age > 130 THEN
    THROW "a date of birth in the future"
END IF
TALK "Symptoms, separated by semicolons?"
HEAR symptoms
list = SPLIT(symptoms, ";")
FOR EACH s IN list
    s = s.trim().toLowerCase()
    IF CONTAINS(s, "chest pain") OR INSTR(s, "breath") > 0 THEN
        TALK "⚠️ Please call 112 now."
    END IF
NEXT
TALK "Medicines you take?"
HEAR medicines
TALK "Temperature?"
HEAR temperature AS FLOAT

record = {
  "patient": patient, "age": age,
  "symptoms": list,
  "medicines": medicines,
  "fever": temperature >= 38
}
SAVE "intakes", record
TALK "Thank you, ${patient}. A nurse will call you."
