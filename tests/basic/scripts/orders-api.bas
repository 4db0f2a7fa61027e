ON ERROR RESUME NEXT
SET HEADER "Authorization", "Bearer " + GET BOT MEMORY("api_token")
SET HEADER "Content-Type", "application/json"
response = POST "https://api.example.com/v1/orders?x=1#frag", #{
    "customer": #{
        "name": customer.name,
        "address": {
            street: "Main St. 5",
            "zip": "12345", // trailing
        },
    },
    items: [
        #{ sku: "A-1", qty: 2 },
        #{ sku: "B-2", qty: 1 },   ' second

    ],
    total: SUM(items, "price") * 1.1
}
IF ERROR THEN
    TALK "Oops: " + ERROR MESSAGE
    CLEAR ERROR
ELSEIF response.status = 200 OR response.status == 201 THEN
    TALK "Created: " + response.data.id
ELSE
    TALK "Failed with status " & response.status
END IF
CLEAR HEADERS
ON ERROR GOTO 0
