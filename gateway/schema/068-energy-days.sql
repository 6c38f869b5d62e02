-- Energy of a meter in a local day that is over, in millionths of a Wh: the sum of its hours.
CREATE TABLE energy_day (
  channel INTEGER NOT NULL,
  day INTEGER NOT NULL,             -- Unix ms of its begin
  uwh INTEGER NOT NULL,
  PRIMARY KEY (channel, day)
) WITHOUT ROWID;
