-- When and why versions were deprecated or archived, earlier drafts, what agents are found by
-- besides their names, and the addresses they had before they were renamed.
ALTER TABLE versions ADD COLUMN deprecated_at TIMESTAMP;
ALTER TABLE versions ADD COLUMN deprecation_note TEXT;
ALTER TABLE versions ADD COLUMN archived_at TIMESTAMP;

CREATE TABLE revisions (
    agent_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    definition TEXT NOT NULL,
    saved_by TEXT NOT NULL,
    saved_at TIMESTAMP NOT NULL,
    PRIMARY KEY (agent_id, number)
);

-- In lower case; the draft's words are the owner's alone, and empty while they are the published.
CREATE TABLE agent_texts (
    agent_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    draft TEXT NOT NULL,
    published TEXT NOT NULL
);

CREATE TABLE former_addresses (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    left_at TIMESTAMP NOT NULL,
    PRIMARY KEY (owner, name)
);
