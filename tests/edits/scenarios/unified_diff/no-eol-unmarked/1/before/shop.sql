-- Customers and what they bought.
CREATE TABLE customer (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
);

-- One row for each order; lines are in order_line.
CREATE TABLE purchase (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    placed_at TEXT NOT NULL,
    paid_at TEXT
);

CREATE TABLE order_line (
    purchase_id INTEGER NOT NULL REFERENCES purchase (id),
    sku TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    price_cents INTEGER NOT NULL
);

-- What is still to be paid.
CREATE VIEW unpaid AS
SELECT p.id, c.name, SUM(l.count * l.price_cents) AS cents
FROM purchase p
JOIN customer c ON c.id = p.customer_id
JOIN order_line l ON l.purchase_id = p.id
WHERE p.paid_at IS NULL
GROUP BY p.id, c.name;