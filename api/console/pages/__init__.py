"""One file a screen: what its address asks for, and what its template is given."""
