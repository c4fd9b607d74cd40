"""Running a chunk, stage by stage: from its rows to their results."""
