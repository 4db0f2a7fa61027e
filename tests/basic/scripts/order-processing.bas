' answers: approve
order = {
  id: 1001,
  customer: { name: "Bo", tier: "gold" },
  items: [
    { sku: "A1", qty: 2, price: 10.5 },
    { sku: "B2", qty: 1, price: 99.9 },
    { sku: "C3", qty: 5, price: 1 }
  ],
}

FUNCTION subtotal(items)
    sum = 0
    FOR EACH it IN items
        sum = sum + it.qty * it.price
    NEXT it
    RETURN sum
END FUNCTION

FUNCTION discount(tier, amount)
    IF tier = "gold" AND amount > 100 THEN
        RETURN amount * 0.1
    ELSEIF tier = "silver" THEN
        RETURN amount * 0.05
    END IF
    RETURN 0
END FUNCTION

SUB say_total(label, n)
    TALK label + ": " + FORMAT(n, "C2[en]")
END SUB

gross = subtotal(order.items)
cut = discount(order.customer.tier, gross)
net = gross - cut
CALL say_total("Gross", gross)
CALL say_total("Discount", cut)
say_total "Net", net

IF net > 100 THEN
    TALK "This needs a manager. Approve or reject?"
    HEAR decision AS "approve", "reject"
    IF decision = "reject" THEN
        order.status = "rejected"
    ELSE
        order.status = "approved"
    END IF
ELSE
    order.status = "approved"
END IF
SAVE "orders", order
ON ERROR RESUME NEXT
PUBLISH EVENT "order." + order.status, order
TALK "Order ${order.id}: ${order.status}"
