-- The run that called a run; null if somebody asked for it.
ALTER TABLE runs ADD COLUMN parent_id TEXT;
