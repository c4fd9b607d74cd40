"""One file a screen of what an import changes: listed, applied, undone, cancelled, released."""
