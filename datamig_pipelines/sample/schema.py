"""The schema of the sample database: tables, indexes and a view."""

TABLES = """
CREATE TABLE regions (
    id INTEGER PRIMARY KEY,
    code VARCHAR(8) NOT NULL UNIQUE,
    name VARCHAR(60) NOT NULL UNIQUE
);

CREATE TABLE countries (
    code CHAR(2) NOT NULL PRIMARY KEY,
    region_id INTEGER NOT NULL REFERENCES regions (id),
    name VARCHAR(80) NOT NULL,
    native_name VARCHAR(80) NOT NULL,
    currency CHAR(3) NOT NULL DEFAULT 'EUR',
    vat_rate DECIMAL(5,4) NOT NULL DEFAULT 0
);

CREATE TABLE customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email VARCHAR(120) NOT NULL UNIQUE,
    full_name VARCHAR(120) NOT NULL,
    nickname VARCHAR(40),
    country_code CHAR(2) NOT NULL REFERENCES countries (code),
    birth_date DATE,
    phone VARCHAR(30),
    points INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0),
    newsletter BOOLEAN NOT NULL DEFAULT 0,
    credit_limit DECIMAL(12,2),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE addresses (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    kind VARCHAR(10) NOT NULL DEFAULT 'home' CHECK (kind IN ('home', 'work', 'billing')),
    street VARCHAR(120) NOT NULL,
    extra VARCHAR(120),
    city VARCHAR(60) NOT NULL,
    postcode VARCHAR(12),
    country_code CHAR(2) NOT NULL REFERENCES countries (code),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION
);

CREATE TABLE categories (
    id INTEGER PRIMARY KEY,
    parent_id INTEGER REFERENCES categories (id) ON DELETE SET NULL,
    name VARCHAR(60) NOT NULL,
    slug VARCHAR(60) NOT NULL UNIQUE,
    position SMALLINT NOT NULL DEFAULT 0
);

CREATE TABLE suppliers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name VARCHAR(120) NOT NULL,
    country_code CHAR(2) NOT NULL REFERENCES countries (code),
    tax_number VARCHAR(20),
    score DOUBLE PRECISION,
    since DATE NOT NULL
);

CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    uuid CHAR(36) NOT NULL UNIQUE,
    sku VARCHAR(20) NOT NULL UNIQUE,
    category_id INTEGER NOT NULL REFERENCES categories (id),
    supplier_id INTEGER REFERENCES suppliers (id) ON DELETE SET NULL,
    name VARCHAR(120) NOT NULL,
    description TEXT,
    price DECIMAL(10,2) NOT NULL CHECK (price >= 0),
    weight REAL,
    active BOOLEAN NOT NULL DEFAULT 1,
    attributes JSON NOT NULL DEFAULT '{}',
    launched_on DATE,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE product_images (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    position SMALLINT NOT NULL DEFAULT 1,
    mime VARCHAR(40) NOT NULL DEFAULT 'image/png',
    content BLOB,
    caption VARCHAR(120),
    UNIQUE (product_id, position)
);

CREATE TABLE stores (
    id INTEGER PRIMARY KEY,
    code VARCHAR(12) NOT NULL UNIQUE,
    name VARCHAR(80) NOT NULL,
    country_code CHAR(2) NOT NULL REFERENCES countries (code),
    manager_id INTEGER REFERENCES employees (id) ON DELETE SET NULL
        DEFERRABLE INITIALLY DEFERRED,
    opened_on DATE NOT NULL,
    opens_at TIME NOT NULL DEFAULT '09:00:00'
);

CREATE TABLE employees (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id INTEGER NOT NULL REFERENCES stores (id),
    boss_id INTEGER REFERENCES employees (id) ON DELETE SET NULL,
    full_name VARCHAR(120) NOT NULL,
    role VARCHAR(20) NOT NULL DEFAULT 'clerk',
    salary DECIMAL(10,2) CHECK (salary > 0),
    hired_on DATE NOT NULL
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    store_id INTEGER NOT NULL REFERENCES stores (id),
    order_no INTEGER NOT NULL,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    address_id INTEGER REFERENCES addresses (id) ON DELETE SET NULL,
    status VARCHAR(12) NOT NULL DEFAULT 'new' CHECK (
        status IN ('new', 'paid', 'shipped', 'delivered', 'returned', 'cancelled')
    ),
    total DECIMAL(12,2) NOT NULL DEFAULT 0 CHECK (total >= 0),
    currency CHAR(3) NOT NULL DEFAULT 'EUR',
    note TEXT,
    placed_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (store_id, order_no)
);

CREATE TABLE order_lines (
    order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    line_no INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL DEFAULT 1 CHECK (quantity > 0),
    unit_price DECIMAL(10,2) NOT NULL,
    discount DECIMAL(10,2) NOT NULL DEFAULT 0 CHECK (discount >= 0),
    PRIMARY KEY (order_id, line_no)
);

CREATE TABLE payments (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id),
    method VARCHAR(12) NOT NULL CHECK (method IN ('card', 'transfer', 'wallet', 'cash')),
    amount DECIMAL(12,2) NOT NULL,
    token UUID NOT NULL,
    details JSON,
    paid_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE inventory (
    store_id INTEGER NOT NULL REFERENCES stores (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL DEFAULT 0,
    reorder_at SMALLINT,
    counted_at DATETIME,
    PRIMARY KEY (store_id, product_id)
) WITHOUT ROWID;

CREATE TABLE reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    rating SMALLINT NOT NULL CHECK (rating BETWEEN 1 AND 5),
    title VARCHAR(120),
    body TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (product_id, customer_id)
);

CREATE TABLE events (
    happened_at TIMESTAMP NOT NULL,
    level VARCHAR(8) NOT NULL DEFAULT 'info',
    source VARCHAR(20) NOT NULL,
    session_id BIGINT,
    customer_id INTEGER REFERENCES customers (id) ON DELETE SET NULL,
    message TEXT NOT NULL,
    payload JSON
);
"""

INDEXES = """
CREATE INDEX addresses_customer ON addresses (customer_id);
CREATE UNIQUE INDEX suppliers_tax_number ON suppliers (tax_number);
CREATE INDEX products_category ON products (category_id, name);
CREATE INDEX orders_customer_recent ON orders (customer_id, placed_at DESC);
CREATE INDEX orders_open ON orders (placed_at) WHERE status IN ('new', 'paid');
CREATE INDEX order_lines_product ON order_lines (product_id);
CREATE INDEX payments_order ON payments (order_id);
CREATE UNIQUE INDEX payments_token ON payments (token);
CREATE INDEX events_happened_at ON events (happened_at DESC);
"""

VIEWS = """
CREATE VIEW order_totals AS
SELECT
    orders.id AS order_id,
    customers.full_name AS customer,
    stores.name AS store,
    orders.total AS order_total,
    count(order_lines.line_no) AS line_count,
    round(
        coalesce(sum(order_lines.quantity * order_lines.unit_price - order_lines.discount), 0), 2
    ) AS line_total
FROM orders
JOIN customers ON customers.id = orders.customer_id
JOIN stores ON stores.id = orders.store_id
LEFT JOIN order_lines ON order_lines.order_id = orders.id
GROUP BY orders.id, customers.full_name, stores.name, orders.total;
"""
