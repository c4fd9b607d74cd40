"""What was done and changed, when, by which token: the audit trail, and changes of assignments."""
