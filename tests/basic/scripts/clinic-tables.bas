TABLE customers
    id number key
    name string(100)
    email string(255)
    phone string(20)
    credit double
    active boolean
    notes text
    created_at datetime
END TABLE

TABLE orders ON maria
    id number key
    customer_id number references customers
    total number(10,2)
    status string(20)
    placed date
END TABLE
