' answers: women | 1
' 🛒 Shop assistant – conversational commerce
ADD TOOL "search-products"
SET CONTEXT "store" AS "You sell clothes. Sizes: S, M, L. Free shipping over $50."
CLEAR SUGGESTIONS
ADD SUGGESTION "women" AS "👗 Women"
ADD SUGGESTION "men" AS "👔 Men"
BEGIN TALK
**Welcome to the store!** 🛍️

I can:
• Find products
• Track orders (e.g. "where's #1234?")
• 100% satisfaction -- really; it's {guaranteed}
END TALK
HEAR choice
choice = LCASE(choice)
IF choice CONTAINS "women" THEN
  cat = "women"
ELSEIF choice CONTAINS "men" THEN
  cat = "men"
ELSE
  cat = choice
END IF
items = FIND "products", "category='" + cat + "' AND stock>0"
IF ISNULL(items) OR UBOUND(items) = 0 THEN
  TALK "Nothing in ${cat}"
  END
END IF
TALK "Found ${UBOUND(items)}:"
n = 0
FOR EACH it IN items
  n = n + 1
  TALK n + ") *" + it.name + "* — $" + FORMAT(it.price, "0.00") + IIF(it.stock < 5, " ⚠️ only " + it.stock + " left!", "")
NEXT it
HEAR num AS INTEGER
IF num < 1 OR num > UBOUND(items) THEN
  TALK "Pick 1-" & UBOUND(items)
ELSE
  p = items[num - 1]
  order = FIRST FIND "orders", "user=" + user_id
  WITH neworder
    id = GUID()
    product = p.name
    total = p.price * 1.2
    created = NOW()
  END WITH
  SAVE "orders", neworder
  SEND TEMPLATE "order_ok", "whatsapp", mobile, neworder
  TALK "Order " & LEFT(neworder.id, 8) & " placed ✅"
END IF
