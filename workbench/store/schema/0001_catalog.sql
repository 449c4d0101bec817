-- Users, tokens, agents, their versions, their runs, and the idempotency keys runs came with.
-- No foreign keys and no secondary indexes: the journal is the truth, ids sort by time, and one
-- writer keeps the rules.
CREATE TABLE users (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('admin', 'author', 'viewer')),
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    user_name TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP
);

CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    draft TEXT NOT NULL,
    current_version TEXT,
    published TEXT,
    visibility TEXT NOT NULL CHECK (visibility IN ('private', 'public')),
    metadata TEXT NOT NULL,
    tags TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    archived_at TIMESTAMP
);

CREATE TABLE versions (
    agent_id TEXT NOT NULL,
    number TEXT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('published', 'deprecated', 'archived')),
    definition TEXT NOT NULL,
    changelog TEXT NOT NULL,
    published_by TEXT NOT NULL,
    published_at TIMESTAMP NOT NULL,
    PRIMARY KEY (agent_id, number)
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    agent_name TEXT NOT NULL,
    version TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    user_name TEXT NOT NULL,
    parameters TEXT NOT NULL,
    test BOOLEAN NOT NULL,
    status TEXT NOT NULL CHECK (
        status IN ('pending', 'running', 'completed', 'failed', 'cancelled')
    ),
    reason TEXT,
    result TEXT NOT NULL,
    error TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    isolation TEXT NOT NULL,
    resource_usage TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    completed_at TIMESTAMP
);

CREATE TABLE idempotency_keys (
    user_name TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    run_id TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_name, idempotency_key)
);

-- What the index knows of itself: the journal it was made from, and how far it has followed it.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
