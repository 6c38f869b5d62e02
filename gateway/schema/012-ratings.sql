-- A citizen's press stands: nobody changes, replaces or deletes it, not even by SQL. The journal
-- may only learn an earlier arrival and a time it did not have.
CREATE INDEX event_rating ON event (device, t) WHERE kind = 'rating';

CREATE TRIGGER rating_no_delete BEFORE DELETE ON event WHEN old.kind = 'rating'
BEGIN SELECT RAISE(ABORT, 'a rating cannot be deleted'); END;

CREATE TRIGGER rating_no_update
BEFORE UPDATE OF id, device, log, seq, boot, up, kind, payload ON event
WHEN old.kind = 'rating' OR new.kind = 'rating'
BEGIN SELECT RAISE(ABORT, 'a rating cannot be changed'); END;

CREATE TRIGGER rating_no_new_time BEFORE UPDATE OF t, at, t_at ON event
WHEN old.kind = 'rating' AND (new.at > old.at OR (old.t IS NOT NULL AND new.t IS NOT old.t
  AND (new.t IS NULL OR new.t_at > old.t_at)))
BEGIN SELECT RAISE(ABORT, 'a rating cannot be changed'); END;

-- Two copies in one millisecond: the first stands, and the turn that brought the other goes on.
CREATE TRIGGER rating_one_time BEFORE UPDATE OF t ON event
WHEN old.kind = 'rating' AND new.t IS NOT old.t AND new.t_at = old.t_at
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER rating_no_replace BEFORE INSERT ON event
WHEN EXISTS (SELECT 1 FROM event WHERE id = new.id AND kind = 'rating')
  OR EXISTS (SELECT 1 FROM event WHERE device = new.device AND log = new.log AND seq = new.seq
    AND kind = 'rating')
BEGIN SELECT RAISE(ABORT, 'a rating cannot be replaced'); END;
