-- Firmware on its way to a device: one row an update, one open at a time. Times are Unix ms.
CREATE TABLE firmware_update (
  id TEXT PRIMARY KEY,             -- f- and a ULID
  device TEXT NOT NULL,
  image TEXT NOT NULL,             -- SHA-256 of the image, hex
  version TEXT NOT NULL,
  board TEXT NOT NULL,
  size INTEGER NOT NULL,           -- bytes
  person TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued'
    CHECK (state IN ('queued', 'sending', 'trial', 'done', 'refused', 'failed')),
  at INTEGER NOT NULL DEFAULT 0,   -- bytes that the device has taken
  round INTEGER NOT NULL DEFAULT 0, -- how often it had to begin anew
  was TEXT,                        -- the firmware that the device ran before
  boot INTEGER,                    -- its boot when it had taken the whole image
  changed_at INTEGER NOT NULL,
  why TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX firmware_update_open ON firmware_update (device)
  WHERE state IN ('queued', 'sending', 'trial');
CREATE INDEX firmware_update_made ON firmware_update (made_at, id);
