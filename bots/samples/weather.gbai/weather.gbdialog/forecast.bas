PARAM city AS STRING LIKE "Lisbon" DESCRIPTION "Where"
PARAM days AS INTEGER LIKE 3 OPTIONAL DEFAULT 1 DESCRIPTION "How many days ahead, 7 at most"
DESCRIPTION "Says what the weather will be in a city."

IF ISNULL(days) OR days < 1 OR days > 7 THEN days = 1
TRY
  answer = GET "${service}/forecast?city=${city}&days=${days}"
CATCH problem
  RETURN #{city: city, problem: "The weather service does not answer."}
END TRY
RETURN #{city: answer.city, high: answer.high, low: answer.low, rain: answer.rain}
