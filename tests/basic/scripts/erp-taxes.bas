FUNCTION CalcTax(amount, rate)
   IF rate = NULL THEN rate = 0.1
   RETURN ROUND(amount * rate, 2)
END FUNCTION
SUB Process(order)
  WITH order
    .tax = CalcTax(order.total, 0.2)
    .status = "done"
  END WITH
  UPDATE "orders" SET status = 'done', tax = order.tax WHERE id = order.id
END SUB
orders = FIND "orders", "status='new'"
FOR EACH order IN orders
   CALL Process(order)
NEXT order
pending = FILTER orders, "status = new"
IF UBOUND(pending) > 0 THEN
  NOTIFY "boss@x.y", UBOUND(pending) + " pending"
END IF
SET BOT MEMORY "orders_" + FORMAT(TODAY(), "yyyyMMdd"), UBOUND(orders)
last = GET BOT MEMORY("orders_" + FORMAT(DATEADD(TODAY(), -1, "day"), "yyyyMMdd"))
last = VAL(last)
growth = IIF(last > 0, (UBOUND(orders) - last) / last * 100, 0)
TALK "Growth: " & FORMAT(growth, "0.0") & "%"
