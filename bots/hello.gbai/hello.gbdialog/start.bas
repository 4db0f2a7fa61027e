' The first minute: dialogue, validation, suggestions, memory; after that, free questions from the documents.
TALK "Hello! I am **${botname}**. Every word between us goes through a mesh of gRPC services, and none of them is ever lost."
TALK "What is your name?"
HEAR name AS NAME

SET USER MEMORY "name", name
TALK "Nice to meet you, ${name}. What shall I show you?"
HEAR choice AS "A small order", "Guess a number", "Just questions"

SELECT CASE choice
  CASE "A small order"
    CALL order()
  CASE "Guess a number"
    CALL guess()
  CASE ELSE
    TALK "Very well."
END SELECT

TALK "That was the script. From here on, ask me anything in your own words: I answer from my documents and say where I found it."
ADD SUGGESTION "returns" AS "How do I return something?"
ADD SUGGESTION "hours" AS "When are you open?"
ADD SUGGESTION "durable" AS "What happens if a server dies?"

SUB order()
  menu = [#{name: "Tea", price: 2.5}, #{name: "Coffee", price: 3}, #{name: "Cake", price: 4.25}]
  TALK "On the menu today:"
  FOR EACH item IN menu
    TALK "- ${item.name}: ${FORMAT(item.price, "C2")}"
  NEXT
  TALK "What would you like?"
  HEAR wanted AS "Tea", "Coffee", "Cake"
  TALK "How many?"
  HEAR count AS INTEGER
  IF count < 1 OR count > 20 THEN
    TALK "I will make it one."
    count = 1
  END IF
  FOR EACH item IN menu
    IF item.name = wanted THEN total = item.price * count
  NEXT
  TALK "And an e-mail address for the receipt?"
  HEAR email AS EMAIL
  TALK "${count} x ${wanted} comes to **${FORMAT(total, "C2")}**. The receipt would go to ${email}."
END SUB

SUB guess()
  secret = RANDOM(1, 10)
  tries = 0
  TALK "I think of a number from 1 to 10."
  DO
    HEAR number AS INTEGER
    tries = tries + 1
    IF number < secret THEN
      TALK "Higher."
    ELSEIF number > secret THEN
      TALK "Lower."
    END IF
  LOOP UNTIL number = secret OR tries >= 5
  IF number = secret THEN
    TALK "Yes! It took you ${tries}."
  ELSE
    TALK "It was ${secret}."
  END IF
END SUB
