-- A sample.
CREATE TABLE IF NOT EXISTS tea.pot (
    id INTEGER PRIMARY KEY,
    name TEXT DEFAULT ';'
);

create unique index pot_name on tea.pot (name);

CREATE OR REPLACE FUNCTION pour(cup INT) RETURNS INT AS $$
BEGIN
    RETURN cup;
END;
$$ LANGUAGE plpgsql;

CREATE MATERIALIZED VIEW "hot pots" AS
SELECT 1;
INSERT INTO pot VALUES (1);
CREATE TRIGGER spill AFTER INSERT ON pot EXECUTE FUNCTION pour();
