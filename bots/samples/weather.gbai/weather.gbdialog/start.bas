' The tool is at hand for free questions; asked here, it is called like any other script.
USE TOOL "forecast"
TALK "For which city?"
HEAR city
forecast = CALL "forecast.bas"
IF ISNULL(forecast.problem) THEN
  TALK "${forecast.city}: up to ${forecast.high} degrees, at night ${forecast.low}."
  SELECT CASE forecast.rain
    CASE 0
      TALK "No rain."
    CASE 1 TO 50
      TALK "A shower, perhaps."
    CASE IS > 50
      TALK "Take an umbrella."
  END SELECT
ELSE
  TALK forecast.problem
END IF
