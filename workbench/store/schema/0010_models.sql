-- What was asked of language models and what it cost, in picodollars; and of each run, how its
-- model was to answer, what that took, and what the run would have done outside.
CREATE TABLE model_calls (
    id TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    agent_name TEXT NOT NULL,
    version TEXT NOT NULL,
    user_name TEXT NOT NULL,
    upstream TEXT NOT NULL,
    asked TEXT NOT NULL,
    used TEXT NOT NULL,
    api TEXT NOT NULL,
    source TEXT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    written_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    picodollars BIGINT,
    price_source TEXT NOT NULL,
    estimated BOOLEAN NOT NULL,
    microseconds BIGINT NOT NULL,
    first_microseconds BIGINT,
    status INTEGER NOT NULL,
    error TEXT NOT NULL,
    test BOOLEAN NOT NULL,
    question TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

ALTER TABLE runs ADD COLUMN model TEXT;
ALTER TABLE runs ADD COLUMN usage TEXT;
ALTER TABLE runs ADD COLUMN effects TEXT;
