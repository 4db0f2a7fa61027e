PARAM location AS "string" LIKE "Lisbon" DESCRIPTION "City, or city and country"
PARAM unit AS STRING ENUM ["celsius", "fahrenheit"] DEFAULT "celsius" OPTIONAL DESCRIPTION "Unit of the temperature"
DESCRIPTION "Current weather of a city. Call it on "weather", "temperature" or "rain"."

w = WEATHER location
IF w.error THEN
    RETURN "I could not find " + location
END IF
t = w.temperature
IF unit = "fahrenheit" THEN t = t * 9 / 5 + 32
symbol = IIF(unit = "celsius", "°C", "°F")
TALK "${location}: ${ROUND(t, 1)}${symbol}, ${w.description}"
RETURN #{ temperature: t, unit: unit }
