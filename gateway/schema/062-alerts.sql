-- The life cycle's own columns, rounds of telling, groups, and what happened to each alert.
ALTER TABLE alert ADD COLUMN active INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN acked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN aside TEXT;
ALTER TABLE alert ADD COLUMN round INTEGER NOT NULL DEFAULT 1;  -- each is told from the ladder's foot
ALTER TABLE alert ADD COLUMN told_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN why TEXT NOT NULL DEFAULT 'first'; -- why the round began
ALTER TABLE alert ADD COLUMN clears_at INTEGER;
ALTER TABLE alert ADD COLUMN answered_at INTEGER;
ALTER TABLE alert ADD COLUMN tick_due INTEGER;                  -- when time alone changes it next
ALTER TABLE alert ADD COLUMN raised TEXT NOT NULL DEFAULT '[]'; -- JSON: when it was raised of late
ALTER TABLE alert ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN leader TEXT;                       -- the alert that tells of it
ALTER TABLE alert ADD COLUMN update_due INTEGER;                -- a leader's: tell what has joined
ALTER TABLE alert ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN about TEXT;                        -- JSON, of one without a finding
UPDATE alert SET told_from = opened, changed = opened, answered_at = acked_at,
  active = returned_at IS NULL AND closed_at IS NULL,
  acked = acked_at IS NOT NULL OR state = 'normal',
  closed = closed_at IS NOT NULL,
  aside = CASE WHEN state IN ('shelved', 'suppressed') THEN state END;
CREATE INDEX alert_tick ON alert (tick_due) WHERE tick_due IS NOT NULL;
CREATE INDEX alert_update ON alert (update_due) WHERE update_due IS NOT NULL;
CREATE INDEX alert_told ON alert (rule, told_from);
CREATE INDEX alert_leader ON alert (leader) WHERE leader IS NOT NULL;
CREATE INDEX alert_changed ON alert (changed);
CREATE INDEX alert_finding ON alert (finding);
CREATE INDEX alert_state ON alert (state, opened);
DROP INDEX alert_shelved;

CREATE TABLE alert_history (
  id INTEGER PRIMARY KEY,
  alert TEXT NOT NULL,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,               -- raise, return, acknowledge, shelve, …
  state TEXT NOT NULL,              -- after it
  round INTEGER NOT NULL,
  who TEXT,
  about TEXT
);
CREATE INDEX alert_history_alert ON alert_history (alert, id);
CREATE INDEX alert_history_at ON alert_history (at);

-- Maintenance (at most four hours) and what is out of service.
CREATE TABLE maintenance (
  id TEXT PRIMARY KEY,
  what TEXT NOT NULL,               -- id of a zone, a device, or a finding's subject
  kind TEXT NOT NULL CHECK (kind IN ('maintenance', 'out-of-service')),
  "from" INTEGER NOT NULL,
  "to" INTEGER,                     -- null: out of service
  reason TEXT NOT NULL,
  who TEXT NOT NULL,
  ended_at INTEGER,
  ended_by TEXT
) WITHOUT ROWID;
CREATE INDEX maintenance_open ON maintenance ("to") WHERE ended_at IS NULL;

-- A message is of a round now; `severity` and `made_at` tell a storm.
CREATE TABLE notification_new (
  id INTEGER PRIMARY KEY,
  alert TEXT NOT NULL,
  round INTEGER NOT NULL DEFAULT 1,
  step INTEGER NOT NULL,            -- ms after the round began
  kind TEXT NOT NULL,               -- message | update | recovery | digest | siren | test
  role TEXT NOT NULL,
  url_index INTEGER NOT NULL,       -- which of the role's addresses, from 0
  channel TEXT NOT NULL,            -- its scheme; the rest of an address is secret
  text TEXT NOT NULL,
  state TEXT NOT NULL,  -- queued | sent | failed | stopped | unaddressed | standby | held
  tries INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  sent_at INTEGER,
  answer TEXT,
  UNIQUE (alert, round, step, kind, role, url_index)
);
INSERT INTO notification_new SELECT id, alert, 1, step, kind, role, url_index, channel, text,
  state, tries, next_at, made_at, sent_at, answer FROM notification;
DROP TABLE notification;
ALTER TABLE notification_new RENAME TO notification;
CREATE INDEX notification_queued ON notification (role, url_index, next_at) WHERE state='queued';
CREATE INDEX notification_siren ON notification (alert)
  WHERE kind='siren' AND state='sent' AND answer IS NULL;
CREATE INDEX notification_alert ON notification (alert, id);
CREATE INDEX notification_made ON notification (made_at) WHERE kind IN ('message', 'update');

-- How each address answers.
CREATE TABLE channel_health (
  role TEXT NOT NULL,
  url_index INTEGER NOT NULL,
  channel TEXT NOT NULL,
  fails INTEGER NOT NULL DEFAULT 0, -- tries since it last took a message
  failing_since INTEGER,
  last_ok INTEGER,
  answer TEXT,
  PRIMARY KEY (role, url_index)
) WITHOUT ROWID;
