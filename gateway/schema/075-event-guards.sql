-- A guard costs each reading that is stored, so there is one, and it looks at the new row only: what
-- REPLACE would take away is guarded by the trigger on DELETE, for the journal's own connection lets
-- triggers see it (recursive_triggers), and no other can prepare an INSERT at all.
DROP TRIGGER rating_no_replace;
DROP TRIGGER rating_only_by_journal;
CREATE TRIGGER rating_only_by_journal AFTER INSERT ON event
WHEN new.kind = 'rating' AND NOT journal_stores(new.device, new.log, new.seq)
BEGIN SELECT RAISE(ABORT, 'a rating cannot be entered'); END;

-- UPDATE OR REPLACE would take away what stands where a renumbered event comes to stand.
CREATE TRIGGER event_no_renumber BEFORE UPDATE OF id, device, log, seq ON event
WHEN old.kind <> 'rating'
BEGIN SELECT RAISE(ABORT, 'an event is never renumbered: a rating cannot be displaced'); END;
