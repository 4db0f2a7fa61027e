WEBHOOK "payment-received"

ON ERROR GOTO failed

IF body.event <> "paid" AND body.event <> "refunded" THEN
    RETURN #{ status: 202, ignored: TRUE }
END IF

order = FIND "orders", "number=" + body.order
IF order = NULL THEN
    RETURN #{ status: 404, error: "no such order" }
END IF

UPDATE "orders", "number=" + body.order, #{ status: body.event, paid_at: NOW() }
SEND MAIL order.email, "Your order " + order.number, "Thank you, we have your payment."
RETURN #{ status: 200 }

failed:
PRINT "payment webhook: " + ERROR MESSAGE
RETURN #{ status: 500, error: "try again" }
