PARAM from AS STRING LIKE "EUR" DESCRIPTION "Currency to change"
PARAM to AS STRING LIKE "BRL" DESCRIPTION "Currency to get"
PARAM amount AS NUMBER LIKE 100 DESCRIPTION "How much"
DESCRIPTION "Changes money"
from = UCASE(from)
to = UCASE(to)
response = GET "https://rates.example.com/latest?base=" + from + "&symbols=" + to
rate = response.rates[to]
IF rate IS NULL THEN
    TALK "I do not know ${to}."
ELSE
    result = amount * rate
    TALK FORMAT(amount, "N2") + " " + from + " = " + FORMAT(result, "N2") + " " + to
END IF
