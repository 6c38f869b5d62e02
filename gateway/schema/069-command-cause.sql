-- What was switched because of a finding is looked up for each message.
CREATE INDEX command_cause ON command (cause);
