-- The rule engine's state at an instant, so that a restart or late evidence need not begin anew.
CREATE TABLE engine_snapshot (
  t INTEGER PRIMARY KEY,            -- every instant up to and including t is judged
  program TEXT NOT NULL,            -- the rules and site it belongs to
  state BLOB NOT NULL
);
