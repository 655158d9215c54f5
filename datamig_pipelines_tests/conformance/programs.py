"""Databases whose objects only their own engine understands, one script per engine."""

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
from sqlalchemy.engine import make_url

POSTGRES = """
CREATE SCHEMA app; SET search_path = app, public;
CREATE EXTENSION citext WITH SCHEMA public;
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN positive AS integer DEFAULT 1 CONSTRAINT above_zero CHECK (VALUE > 0);
CREATE DOMAIN small AS positive CHECK (VALUE < 100);
CREATE SEQUENCE numbers INCREMENT BY 5 START 10 MAXVALUE 1000 CYCLE;
SELECT nextval('numbers'), nextval('numbers');
CREATE SEQUENCE untouched;
CREATE FUNCTION twice(i integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT i * 2';
CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n small NOT NULL, m mood,
  name citext, code integer DEFAULT nextval('numbers') + 0, changed integer DEFAULT 0,
  CHECK (twice(n) < 1000));
CREATE INDEX t_twice ON t (twice(n));
CREATE TABLE log (what text);
INSERT INTO t (n, m, name) VALUES (1, 'sad', 'A'), (2, 'it''s ok', 'b');
CREATE TABLE parted (id integer NOT NULL, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parted_old PARTITION OF parted FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE parted_new PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO (MAXVALUE)
  PARTITION BY HASH (id);
CREATE TABLE "parted new 0" PARTITION OF parted_new FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_new_1 PARTITION OF parted_new FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX only_here ON parted_old (at);
ALTER TABLE parted_old ADD CONSTRAINT old_id CHECK (id > 0);
INSERT INTO parted SELECT i, date '2019-12-01' + i FROM generate_series(1, 90) i;
CREATE FUNCTION of_row(x t) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN x.name || 'it''s'; END$$;
CREATE AGGREGATE together(text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE VIEW v WITH (security_barrier=true) AS SELECT id, of_row(t.*) AS r FROM t WHERE n > 0;
CREATE FUNCTION of_view() RETURNS SETOF v LANGUAGE sql AS 'SELECT * FROM v';
CREATE VIEW w AS SELECT count(*) AS c FROM of_view();
CREATE MATERIALIZED VIEW mv AS SELECT together(name::text ORDER BY id) AS names FROM t;
CREATE UNIQUE INDEX mv_names ON mv (names);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
  $$BEGIN NEW.changed := NEW.changed + 1; INSERT INTO log VALUES ('changed'); RETURN NEW; END$$;
CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER asleep BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE t DISABLE TRIGGER asleep;
CREATE TRIGGER on_all BEFORE UPDATE ON parted FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE quiet AS ON DELETE TO log DO INSTEAD NOTHING;
CREATE PROCEDURE nop(INOUT i integer) LANGUAGE plpgsql AS 'BEGIN i := i + 1; END';
CREATE STATISTICS t_stats (dependencies) ON n, changed FROM t;
COMMENT ON VIEW v IS 'it''s a view'; COMMENT ON FUNCTION twice(integer) IS 'doubles';
COMMENT ON CONSTRAINT old_id ON parted_old IS 'old'; COMMENT ON TRIGGER touched ON t IS 'touches';
COMMENT ON SCHEMA app IS 'the app'; COMMENT ON COLUMN v.r IS 'row'; COMMENT ON TYPE mood IS 'how';
"""

MYSQL = """
CREATE TABLE p (id int PRIMARY KEY AUTO_INCREMENT, name varchar(30), n int);
CREATE TABLE log (id int PRIMARY KEY AUTO_INCREMENT, what varchar(200));
INSERT INTO p (name, n) VALUES ('a', 1), ('b', 2);
CREATE SEQUENCE sq START WITH 5 INCREMENT BY 3;
SELECT NEXTVAL(sq);
DELIMITER //
CREATE FUNCTION f(x int) RETURNS int DETERMINISTIC BEGIN DECLARE y int; SET y = x + 1; RETURN y; END//
CREATE PROCEDURE pr(IN a int, OUT b int) BEGIN SELECT COUNT(*) INTO b FROM p WHERE n > a; END//
CREATE TRIGGER tr BEFORE INSERT ON p FOR EACH ROW
BEGIN SET NEW.n = NEW.n + 100; INSERT INTO log (what) VALUES (CONCAT('new "', NEW.name, '"')); END//
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'//
CREATE TRIGGER `tr 2` BEFORE UPDATE ON p FOR EACH ROW SET NEW."name" = NEW."name" || '!'//
SET sql_mode = DEFAULT//
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY ENABLE COMMENT 'it''s DO' DO DELETE FROM log//
CREATE VIEW v AS SELECT id, f(n) AS fn FROM p//
"""

SQLITE = """
CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INT);
CREATE TABLE log (what TEXT);
INSERT INTO t VALUES (1, 'x', 2), (2, 'y', 3);
CREATE TRIGGER tr AFTER INSERT ON t BEGIN
  INSERT INTO log VALUES (NEW.a || ';'); UPDATE t SET b = 0 WHERE id = NEW.id; END;
CREATE VIEW v AS SELECT * FROM t;
CREATE TRIGGER "tr v" INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (NEW.id, NEW.a, 0); END;
"""

DUCKDB = """
CREATE SCHEMA app; SET schema = 'app';
CREATE TYPE mood AS ENUM ('a', 'it''s b');
CREATE SEQUENCE sq START 5 INCREMENT 2; SELECT nextval('sq');
CREATE SEQUENCE seq_t START 3;
CREATE TABLE t (id INTEGER PRIMARY KEY DEFAULT nextval('app.seq_t'), m mood, k INTEGER);
INSERT INTO t VALUES (1, 'a', 1), (2, 'it''s b', 2);
CREATE MACRO add_one(a) AS a + 1, (a, b) AS a + b;
CREATE MACRO rows_of(x) AS TABLE SELECT * FROM app.t WHERE id = x;
CREATE VIEW v AS SELECT app.add_one(id) AS i FROM app.t;
"""


def script(engine: str, url: str, server, folder: Path) -> None:
    """Run an engine's script in an empty database."""
    place = make_url(url)
    if engine == "sqlite":
        with closing(sqlite3.connect(place.database or "")) as file:
            file.executescript(SQLITE)
    elif engine == "duckdb":
        with duckdb.connect(place.database or "") as base:
            base.execute(DUCKDB)
    else:
        path = folder / "programs.sql"
        path.write_text(POSTGRES if engine == "postgres" else MYSQL)
        path.chmod(0o644)
        server.run_script(place.database or "", path)
