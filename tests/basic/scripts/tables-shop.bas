' The tables of a small tea shop.
TABLE Products
    id          guid        key
    Name        string(120)
    Sku         string(40)
    Price       number(10,2)
    Stock       integer
    Category    string(40)
    Active      boolean
    Photo       string(255)
    Created_at  datetime
END TABLE

TABLE Customers READ BY "sales;admin" WRITE BY "sales"
    id guid key
    Name string(100)
    Email string(150)
    Phone string(30)
    Address text            ' as the person wrote it
    Credit double READ BY "finance"
END TABLE

// one order has many lines
TABLE Orders ON maria
    id number key
    Customer guid references Customers
    Total number(12,2)
    Status string(20)
    Date date
END TABLE

TABLE OrderLines ON maria
    FIELD id AS number KEY
    FIELD "Order" AS number REFERENCES Orders
    FIELD product AS guid REFERENCES Products
    FIELD quantity AS integer
    FIELD price AS number(10,2)
END TABLE
