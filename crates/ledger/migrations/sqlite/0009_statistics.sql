-- SQLite keeps statistics of values only where it is told to, which nothing here does; the format has the same number on
-- both databases.

SELECT 1;
