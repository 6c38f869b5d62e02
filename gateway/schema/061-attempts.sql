-- Every try of every message and what came of it.
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  notification INTEGER NOT NULL,
  at INTEGER NOT NULL,              -- when its answer was booked, Unix ms
  answer TEXT NOT NULL
);
CREATE INDEX attempt_notification ON attempt (notification);
CREATE INDEX notification_alert ON notification (alert, id);
