-- Who signed a patrol round (消防 二.2): the patroller and the supervisor, two different people.
CREATE TABLE patrol_signature (
  route TEXT NOT NULL,
  begin INTEGER NOT NULL,           -- the round's begin, Unix ms
  part TEXT NOT NULL,               -- patroller | supervisor
  who TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (route, begin, part)
) WITHOUT ROWID;
