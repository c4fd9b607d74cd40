"""One file a screen of one import, and what the top of all of them says."""
