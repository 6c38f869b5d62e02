-- What must leave the house: one row for each message of a ladder's step to one address.
CREATE TABLE notification (
  id INTEGER PRIMARY KEY,
  alert TEXT NOT NULL,
  step INTEGER NOT NULL,            -- ms after the alert opened
  kind TEXT NOT NULL,               -- message | digest | siren
  role TEXT NOT NULL,
  url_index INTEGER NOT NULL,       -- which of the role's addresses, from 0
  channel TEXT NOT NULL,            -- its scheme; the rest of an address is secret
  text TEXT NOT NULL,
  state TEXT NOT NULL,              -- queued | sent | failed | stopped | unaddressed
  tries INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  sent_at INTEGER,
  answer TEXT,
  UNIQUE (alert, step, kind, role, url_index)
);
CREATE INDEX notification_queued ON notification (role, url_index, next_at) WHERE state='queued';
CREATE INDEX notification_siren ON notification (alert)
  WHERE kind='siren' AND state='sent' AND answer IS NULL;

-- When the alert's next step may be due; null where none is to come.
ALTER TABLE alert ADD COLUMN step_due INTEGER;
UPDATE alert SET step_due=opened WHERE state='unacknowledged';
CREATE INDEX alert_step_due ON alert (step_due) WHERE step_due IS NOT NULL;
CREATE INDEX alert_shelved ON alert (shelved_until) WHERE state='shelved';
