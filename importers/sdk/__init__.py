"""The classes that plugins are written with; imports only the standard library."""
