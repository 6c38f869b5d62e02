-- What the gateway is about to switch after its warning (rulebook X9).
CREATE TABLE pending_switch (
  finding TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  ch TEXT NOT NULL,
  do TEXT NOT NULL,
  args TEXT NOT NULL,               -- JSON
  zone TEXT NOT NULL,
  due INTEGER NOT NULL,
  state TEXT NOT NULL               -- waiting | done | dropped
) WITHOUT ROWID;
CREATE INDEX pending_due ON pending_switch (state, due);
-- how the engine finds its own rows again
CREATE INDEX finding_key ON finding (rule, subject, start);
