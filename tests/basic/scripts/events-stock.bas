ON INSERT OF "order_lines"
    line = event.row
    product = FIND "products", "id=" + line.product
    IF product THEN
        UPDATE "products", "id=" + line.product, #{ stock: product.stock - line.quantity }
    END IF
END ON

ON UPDATE OF "products"
    IF event.row.stock < 5 THEN
        SEND MAIL "stock@example.com", "Low stock", event.row.name + ": " + event.row.stock
    END IF
END ON

ON EMAIL "orders@example.com" FROM "partner@example.com"
    SAVE_FROM_UNSTRUCTURED "orders", FORMAT event.body AS JSON
END ON

ON FORM SUBMIT "contact"
    SAVE "messages", event.fields
END ON

ON "shop.closed" CALL closed

SUB closed()
    SET BOT MEMORY "open", "no"
END SUB
