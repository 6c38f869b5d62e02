-- REPLACE goes by the triggers on DELETE: what is append-only is not replaced either. A signature is
-- as final as the shift in which it was given.
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER shift_no_replace BEFORE INSERT ON shift
WHEN EXISTS (SELECT 1 FROM shift WHERE id = new.id OR before = new.before)
BEGIN SELECT RAISE(ABORT, 'a shift record is append-only'); END;
CREATE TRIGGER closing_check_no_replace BEFORE INSERT ON closing_check
WHEN EXISTS (SELECT 1 FROM closing_check WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'a closing check is append-only'); END;
CREATE TRIGGER patrol_signature_no_update BEFORE UPDATE ON patrol_signature
BEGIN SELECT RAISE(ABORT, 'a signature is append-only'); END;
CREATE TRIGGER patrol_signature_no_delete BEFORE DELETE ON patrol_signature
BEGIN SELECT RAISE(ABORT, 'a signature is append-only'); END;
CREATE TRIGGER patrol_signature_no_replace BEFORE INSERT ON patrol_signature
WHEN EXISTS (SELECT 1 FROM patrol_signature
  WHERE route = new.route AND begin = new.begin AND part = new.part)
BEGIN SELECT RAISE(ABORT, 'a signature is append-only'); END;
