' Product synchronisation with a shop system whose API has its own ideas.
' The body of each answer is in .data; pages count from 1; one call a second.

pageSize = 100
changed = 0
REPORT_LINES = []

product_list = GET "https://api.example.com/v3/products?limit=" + pageSize
items = product_list.data

i = 0
DO WHILE i < ubound(items)

    detail = GET "https://api.example.com/v3/products/" + items[i].id
    p = detail.data

    WITH product
        id = p.id
        name = p.name
        sku = p.code
        price = p.price
        stock = p.stock?.total
        weight = p.dimensions?.weight
    END WITH

    existing = FIND "products", "id=" + p.id
    If existing = NULL Then
        SAVE "products", product
        changed = changed + 1
    Else
        If existing.price <> product.price Or existing.stock <> product.stock Then
            UPDATE "products", "id=" + p.id, product
            changed = changed + 1
        End If
    End If

    ' the pictures
    images = p.images
    k = 0
    DO WHILE k < UBOUND(images)
        SAVE "product_images", #{
            "product": p.id,
            "url": images[k].url,
            "order": k
        }
        k = k + 1
    LOOP

    ' the variations; each is a product too
    variations = p.variations
    IF variations <> NULL THEN
        v = 0
        DO UNTIL v >= UBOUND(variations)
            child = variations[v]
            REPORT_LINES[UBOUND(REPORT_LINES)] = child.name
            v = v + 1
        LOOP
    END IF

    IF i MOD 3 = 2 THEN WAIT 1
    i = i + 1
LOOP

SET BOT MEMORY "last_sync" AS FORMAT(NOW(), "yyyy-MM-dd HH:mm")
TALK changed + " products changed, " + ubound(REPORT_LINES) + " variations seen."
