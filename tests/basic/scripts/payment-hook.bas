WEBHOOK "payment-received"

order_id = body.order_id
amount = body.amount
status = body.status

IF NOT order_id THEN
    RETURN #{ status: 400, error: "order_id missing" }
END IF

order = FIND "orders", "id=" + order_id
IF order IS NULL THEN
    RETURN #{ status: 404, error: "unknown order" }
END IF

IF status = "paid" THEN
    UPDATE "orders", "id=" + order_id, #{ "status": "paid", "paid_at": NOW() }
    SEND MAIL order.customer_email, "Payment received", "Thanks for your payment of " + FORMAT(amount, "C2[en]")
END IF

RETURN #{ status: 200, message: "ok", order: order_id }
