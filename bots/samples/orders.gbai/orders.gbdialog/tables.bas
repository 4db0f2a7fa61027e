' What the shop keeps. The tables are made when the bot is published.
TABLE products
  id integer KEY
  name string(60)
  price number(10, 2)
  stock integer
END TABLE

TABLE orders
  id guid KEY
  product string(60)
  amount integer
  total number(10, 2)
  email string(120)
END TABLE
