-- How the cells of a run fared and what each of them took, as a JSON list.
ALTER TABLE runs ADD COLUMN cells TEXT;
