-- Up to which number a log's readings were dropped for their age. All of them were stored once.
ALTER TABLE log ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
