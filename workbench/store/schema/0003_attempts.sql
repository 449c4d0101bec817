-- The attempts of a run that were lost, when it may be begun again, and which life began it.
ALTER TABLE runs ADD COLUMN attempts TEXT;
ALTER TABLE runs ADD COLUMN due_at TIMESTAMP;
ALTER TABLE runs ADD COLUMN boot TEXT;
