' every 15 minutes: orders of the shop go to the books
SET SCHEDULE "0 */15 * * * *"

host = GET BOT MEMORY "erp_host"
token = GET BOT MEMORY "erp_token"
IF NOT token THEN
    PRINT "no token: the ERP is not set up"
    RETURN
END IF

SET HEADER "Authorization", "Bearer ${token}"
SET HEADER "Accept" AS "application/json"

page = 1
limit = 50
total = 0
errors = []
more = TRUE

DO WHILE more
    url = host + "/api/v2/orders?page=" + page + "&limit=" + limit
    res = GET url
    list = res.data

    IF list = NULL OR UBOUND(list) = 0 THEN
        more = FALSE
    ELSE
        i = 0
        DO WHILE i < UBOUND(list)
            o = list[i]
            row = {
                "id": o.id,
                "number": o.number,
                "total": VAL(o.total),
                "customer": o.customer?.name,
                "date": o.date
            }
            TRY
                MERGE "orders", row, "id"
                total = total + 1
            CATCH problem
                errors[UBOUND(errors)] = o.id + ": " + problem
            END TRY

            ' the lines of the order
            lines = o.items
            IF lines != NULL THEN
                j = 0
                DO WHILE j < UBOUND(lines)
                    SAVE "order_lines", #{ order: o.id, sku: lines[j].sku, quantity: lines[j].quantity }
                    j = j + 1
                LOOP
            END IF
            i = i + 1
        LOOP
        page = page + 1
        IF page > 3 THEN more = FALSE
    END IF
LOOP

CLEAR HEADERS
SET BOT MEMORY "erp_last_sync", NOW()
PRINT "orders: " + total + ", errors: " + UBOUND(errors)
IF UBOUND(errors) > 0 THEN
    SEND MAIL "it@example.com", "ERP sync", JOIN(errors, "\n")
END IF
