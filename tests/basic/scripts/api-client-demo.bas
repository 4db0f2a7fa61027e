' answers: Porto
' 1. a plain GET
TALK "City?"
HEAR city
w = GET "https://api.example.com/weather?q=" + city
IF w.error THEN
  TALK "No weather for ${city}."
ELSE
  TALK "It is ${w.main.temp}° in ${city}, ${w.weather[0].description}."
END IF

' 2. POST with a body
body = {
  title: "hello",
  tags: ["a", "b"],
  nested: { deep: { deeper: TRUE } }
}
res = POST "https://api.example.com/items", body
IF res.status >= 200 AND res.status < 300 THEN
  TALK "created " + res.data.id
END IF

' 3. PUT, PATCH, DELETE
PUT "https://api.example.com/items/" + res.id, #{ title: "changed" }
PATCH "https://api.example.com/items/" + res.id, #{ title: "changed again" }
DELETE HTTP "https://api.example.com/items/" + res.id

' 4. headers, GraphQL
SET HEADER "X-Api-Key" = "abc"
answer = GRAPHQL "https://api.example.com/graphql", "query($id: ID!) { item(id: $id) { name } }", #{ id: 1 }
TALK answer.data.item.name
CLEAR HEADERS
