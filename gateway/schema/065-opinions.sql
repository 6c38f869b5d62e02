-- Only the journal stores a pad's rating: `journal_stores` is a function of its own connection, true
-- only for the rows it is storing. Any other connection cannot even prepare an INSERT.
CREATE TRIGGER rating_only_by_journal BEFORE INSERT ON event
WHEN new.kind = 'rating' AND NOT journal_stores(new.device, new.log, new.seq)
BEGIN SELECT RAISE(ABORT, 'a rating cannot be entered'); END;

-- Ratings by the other two channels: the page behind a QR code, and paper forms entered by a named
-- person. What was entered wrongly is struck out with a reason and stays.
CREATE TABLE opinion (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL CHECK (channel IN ('qr', 'paper')),
  counter TEXT NOT NULL,
  t INTEGER NOT NULL,               -- Unix ms; a paper form's is noon of its day
  level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
  visit TEXT,
  form TEXT,                        -- the paper form's own number
  made_at INTEGER NOT NULL,
  made_by TEXT,                     -- who entered a paper form; null for the page
  struck_at INTEGER,
  struck_by TEXT,
  struck_why TEXT,
  CHECK ((channel = 'qr') = (made_by IS NULL))
) WITHOUT ROWID;
CREATE INDEX opinion_counter ON opinion (counter, t);
CREATE UNIQUE INDEX opinion_form ON opinion (counter, form) WHERE struck_at IS NULL;

CREATE TRIGGER opinion_no_delete BEFORE DELETE ON opinion
BEGIN SELECT RAISE(ABORT, 'a rating cannot be deleted'); END;
CREATE TRIGGER opinion_no_update
BEFORE UPDATE OF id, channel, counter, t, level, visit, form, made_at, made_by ON opinion
BEGIN SELECT RAISE(ABORT, 'a rating cannot be changed'); END;
CREATE TRIGGER opinion_struck_once BEFORE UPDATE ON opinion
WHEN old.struck_at IS NOT NULL OR old.channel = 'qr' OR new.struck_by IS NULL
  OR new.struck_why IS NULL
BEGIN SELECT RAISE(ABORT, 'only a paper form can be struck out, once, with a name and a reason'); END;
CREATE TRIGGER opinion_no_replace BEFORE INSERT ON opinion
WHEN EXISTS (SELECT 1 FROM opinion WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'a rating cannot be replaced'); END;

-- How many visits a counter had on a day, as its queue machine printed it; the last word counts.
CREATE TABLE visit_count (
  id INTEGER PRIMARY KEY,
  counter TEXT NOT NULL,
  day TEXT NOT NULL,                -- YYYY-MM-DD
  n INTEGER NOT NULL CHECK (n >= 0),
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL
);
CREATE INDEX visit_count_day ON visit_count (day, counter);

-- Who is on duty at a counter, on whole days; what is entered later counts. Struck out, not deleted.
CREATE TABLE roster (
  id INTEGER PRIMARY KEY,
  counter TEXT NOT NULL,
  person TEXT NOT NULL,
  first TEXT NOT NULL,              -- YYYY-MM-DD
  last TEXT NOT NULL,               -- included
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  struck_at INTEGER,
  struck_by TEXT,
  struck_why TEXT
);
CREATE INDEX roster_day ON roster (first, last);
CREATE TRIGGER roster_no_delete BEFORE DELETE ON roster
BEGIN SELECT RAISE(ABORT, 'a roster entry is struck out, never deleted'); END;
CREATE TRIGGER visit_count_no_delete BEFORE DELETE ON visit_count
BEGIN SELECT RAISE(ABORT, 'a count of visits is corrected by a later one, never deleted'); END;
CREATE TRIGGER visit_count_no_update BEFORE UPDATE ON visit_count
BEGIN SELECT RAISE(ABORT, 'a count of visits is corrected by a later one, never changed'); END;
