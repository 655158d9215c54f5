"""A schema with one of everything, and rows that hurt."""

RICH = r"""
CREATE SCHEMA "Sales 100%s";
SET search_path = "Sales 100%s", public;
CREATE TYPE mood AS ENUM ('happy', 'it''s $datamig$ ok', 'SAD');
CREATE TYPE public.colour AS ENUM ('red', 'blue');
CREATE TYPE pair AS (a integer, "B b" text);
CREATE DOMAIN positive AS numeric(10,2) DEFAULT 1 CHECK (VALUE > 0);
CREATE DOMAIN code AS varchar(5) NOT NULL CHECK (VALUE <> 'VALUE');
CREATE SEQUENCE free_seq START 7;
CREATE SEQUENCE shared_seq;
CREATE TABLE region (
  country char(2), code smallint, name text COLLATE "C" NOT NULL DEFAULT 'none',
  PRIMARY KEY (country, code));
COMMENT ON TABLE region IS 'it''s a region';
COMMENT ON COLUMN region.name IS 'called';
CREATE TABLE "Order %s" (
  "Id" bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 5) CONSTRAINT my_key PRIMARY KEY,
  serial_no serial, big numeric(20) DEFAULT nextval('shared_seq'), shared bigint DEFAULT nextval('shared_seq'),
  country char(2), code smallint, "Größe ""q"" ß" numeric(12,4) DEFAULT -0.5, unbound numeric, neg numeric(3,-2),
  flag boolean DEFAULT true NOT NULL, r real DEFAULT 1e10, d double precision DEFAULT 'NaN',
  v varchar(20) DEFAULT E'a\\b''c', t text DEFAULT '', c3 char(3) DEFAULT 'x', one "char", n name,
  b bytea DEFAULT '\x00ff', bits bit(4) DEFAULT B'1010', vb bit varying(9),
  day date DEFAULT CURRENT_DATE, tm time(3) DEFAULT '10:00', tmz timetz,
  ts timestamp(0) DEFAULT now(), tsz timestamptz DEFAULT CURRENT_TIMESTAMP,
  utc timestamp DEFAULT (now() AT TIME ZONE 'utc'), iv interval DEFAULT '1 day', iv2 interval day to second(3),
  j json DEFAULT '{"a": 1}', jb jsonb DEFAULT '{}'::jsonb, u uuid DEFAULT gen_random_uuid(),
  ip inet DEFAULT '10.0.0.1', net cidr, mac macaddr, x xml, tsv tsvector, tsq tsquery, ir int4range,
  mr nummultirange, cash money DEFAULT 5, o oid, ints int[] DEFAULT '{1,2}', texts text[], moods mood[],
  dom positive, dom2 code, state mood DEFAULT 'happy', paint public.colour, p pair, pt point,
  twice numeric GENERATED ALWAYS AS (unbound * 2) STORED, word text DEFAULT ('n' || nextval('free_seq')::text),
  UNIQUE (serial_no, v), CONSTRAINT "chk %" CHECK (state <> 'SAD' OR flag),
  CONSTRAINT fk_region FOREIGN KEY (country, code) REFERENCES region ON DELETE SET NULL ON UPDATE CASCADE
    DEFERRABLE INITIALLY DEFERRED,
  EXCLUDE USING gist (ir WITH &&));
CREATE UNIQUE INDEX ux ON "Order %s" (lower(t)) WHERE v IS NOT NULL AND state = 'happy';
CREATE INDEX ix_desc ON "Order %s" (v DESC, code) INCLUDE (flag);
CREATE INDEX ix_gin ON "Order %s" USING gin (jb jsonb_path_ops);
CREATE INDEX ix_hash ON "Order %s" USING hash (v);
CREATE INDEX ix_ops ON "Order %s" (v text_pattern_ops, code NULLS FIRST);
CREATE TABLE parent (id int PRIMARY KEY, note text);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE part (id int, at date NOT NULL, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE part_ref (id int, at date, FOREIGN KEY (id, at) REFERENCES part);
CREATE TABLE broken (id int PRIMARY KEY, up int);
INSERT INTO broken VALUES (1, 99);
ALTER TABLE broken ADD CONSTRAINT fk_broken FOREIGN KEY (up) REFERENCES broken NOT VALID;
CREATE TABLE datamig_old (id int);
CREATE VIEW z_view AS SELECT "Id", state FROM "Order %s" WHERE state = 'happy'::mood;
CREATE VIEW a_view AS SELECT * FROM z_view;
CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n FROM a_view;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON region FOR EACH ROW EXECUTE FUNCTION f();
GRANT SELECT ON region TO PUBLIC;
INSERT INTO region VALUES ('CZ', 1, 'tab	back\slash'), ('DE', 2, E'new\nline'), ('FR', -3, '🐎');
INSERT INTO parent VALUES (1, 'p'), (2, 'p');
INSERT INTO child VALUES (3, 'c', 'x');
INSERT INTO part VALUES (1, '2020-05-01', 'a'), (2, '2021-05-01', 'b');
INSERT INTO part_ref VALUES (1, '2020-05-01');
INSERT INTO "Order %s" (country, code, "Größe ""q"" ß", unbound, neg, v, t, one, n, vb, tmz, iv2, net, mac, x, tsv,
  tsq, ir, mr, o, texts, moods, dom2, paint, p, pt)
VALUES ('CZ', 1, 1.5, 'NaN', 1200, E'\\N', '', 'z', 'name', B'1', '10:00:00.5+02', '26:00:00.5', '10/8',
  '08:00:2b:01:02:03', '<a>&amp;</a>', 'a:1 b', 'a & b', '[1,5)', '{[1,2),[5,6)}', 4000000000,
  ARRAY['a,"b', NULL, '{}'], ARRAY['happy', 'it''s $datamig$ ok']::mood[], 'abc', 'red', ROW(1, 'x,"y'), '(1,2)'),
  (NULL, NULL, NULL, 1e100, NULL, NULL, E'a\tb\\c\r\n', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL, NULL, 'b', NULL, NULL, NULL);
SELECT setval('"Order %s_Id_seq"', 40, false);
RESET search_path;
"""

SCHEMA = "Sales 100%s"
