-- The live count asks for what is new on the QR page and on paper.
CREATE INDEX opinion_made ON opinion (made_at);

-- A person's points are given for a department: two people may share a name, and one may serve in two.
ALTER TABLE sheet_field ADD COLUMN department TEXT NOT NULL DEFAULT '';
