' A menu made from a table, an order written into another, a mail that says so.
TALK "Welcome to ${botname}. What would you like?"
products = FIND ALL "products" WHERE stock > 0 ORDER BY name LIMIT 10
IF UBOUND(products) = 0 THEN
  TALK "Everything is sold out. Please come back tomorrow."
  END
END IF

names = []
FOR EACH product IN products
  PUSH names, product.name
NEXT
HEAR choice AS names

FOR EACH product IN products
  IF product.name = choice THEN chosen = product
NEXT
TALK "How many? There are ${chosen.stock} left."
HEAR amount AS INTEGER
IF amount < 1 OR amount > chosen.stock THEN
  TALK "That is more than I have. I will make it one."
  amount = 1
END IF

TALK "Where shall I send the receipt?"
HEAR address AS EMAIL
total = chosen.price * amount
SAVE "orders", #{product: choice, amount: amount, total: total, email: address}
UPDATE "products" SET stock = chosen.stock - amount WHERE id = chosen.id
ON ERROR RESUME NEXT
SEND MAIL address, "Your order", "${amount} x ${choice}: ${total} ${currency}"
IF ERROR THEN
  TALK "The order stands, but the mail could not be sent."
ELSE
  TALK "Done: ${amount} x ${choice} for ${total} ${currency}. The receipt is on its way."
END IF
