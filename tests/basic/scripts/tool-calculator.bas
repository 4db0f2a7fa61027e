PARAM a AS NUMBER LIKE 3 DESCRIPTION "First number"
PARAM b AS NUMBER LIKE 4 DESCRIPTION "Second number"
PARAM op AS STRING ENUM ["add", "subtract", "multiply", "divide", "power", "modulo"] DESCRIPTION "What to do"
DESCRIPTION "Calculates with two numbers"

a = CDBL(a)
b = CDBL(b)
result = 0
problem = ""

SELECT CASE op
  CASE "add": result = a + b
  CASE "subtract": result = a - b
  CASE "multiply": result = a * b
  CASE "divide"
    IF b = 0 THEN
      problem = "division by zero"
    ELSE
      result = a / b
    END IF
  CASE "power": result = a ^ b
  CASE "modulo": result = a MOD b
END SELECT

IF problem <> "" THEN
  TALK problem
  RETURN WITH error AS problem
END IF
TALK result
RETURN WITH result AS result, op AS op
