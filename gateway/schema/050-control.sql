-- What is wanted of each thing that can be switched, and whether it obeyed. Times are Unix ms.
CREATE TABLE control (
  subject TEXT PRIMARY KEY,         -- a circuit or an air conditioner
  desired TEXT,                     -- on | off | set; null while nothing was asked
  args TEXT NOT NULL DEFAULT '{}',  -- JSON
  command TEXT,                     -- the command that carries it now
  cause TEXT,                       -- a finding, or a person's reason
  person TEXT,
  tries INTEGER NOT NULL DEFAULT 0, -- commands asked for since it was wanted
  asked_at INTEGER,
  done_at INTEGER,                  -- when the device said it had carried it out
  state TEXT NOT NULL DEFAULT 'idle' CHECK (state IN ('idle', 'asked', 'verified', 'failed')),
  manual_since INTEGER,             -- not obeyed: nothing is switched until somebody resets
  manual_why TEXT,
  hazard_at INTEGER,                -- no "on" until an electrician has checked
  hazard TEXT,                      -- the finding
  respect_until INTEGER             -- switched on by hand after an automatic off
) WITHOUT ROWID;
CREATE INDEX control_asked ON control (state) WHERE state = 'asked';

CREATE TABLE electrician_check (
  id INTEGER PRIMARY KEY,
  subject TEXT NOT NULL,
  at INTEGER NOT NULL,
  electrician TEXT NOT NULL,
  note TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  finding TEXT
);
CREATE INDEX check_subject ON electrician_check (subject, id);

-- A warning may be a person's too: then its key is no finding's.
ALTER TABLE pending_switch ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE pending_switch ADD COLUMN person TEXT;
ALTER TABLE pending_switch ADD COLUMN cause TEXT;
CREATE INDEX command_made ON command (made_at, id);
