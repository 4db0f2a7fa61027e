' answers: green tea | 1 | 2 | no
SET "session.basket", []
basket = []
again = TRUE
WHILE again
    TALK "What are you looking for?"
    HEAR words
    found = SEARCH PRODUCTS words
    IF found = NULL OR COUNT(found) = 0 THEN
        TALK "Nothing like that, sorry."
        again = FALSE
    ELSE
        names = []
        FOR EACH p IN found
            PUSH names, p.name + " (" + FORMAT(p.price, "C2[en]") + ")"
        END FOR
        TALK "Which one?"
        HEAR choice AS names
        position = INDEX_OF(names, choice)
        item = found[position]
        TALK "How many?"
        HEAR quantity AS INTEGER
        basket.push({ id: item.id, name: item.name, quantity: quantity, sum: item.price * quantity })
        TALK "Anything else?"
        HEAR more AS BOOLEAN
        again = more
    END IF
WEND

total = 0
FOR i = 0 TO UBOUND(basket) - 1
    total += basket[i].sum
    TALK "${i + 1}. ${basket[i].name} × ${basket[i].quantity}"
NEXT i
SET "session.basket", basket
TALK "Total: " & FORMAT(total, "#,##0.00")
