"""Unusual cells that files really have, and that must not make an importer fail."""

from __future__ import annotations

# fmt: off
HOSTILE = (
    # Too long, and just short enough.
    "x" * 10_001, "x" * 9_999, "9" * 9_999, "\U0001f4a5" * 5_000,
    # Characters that can't be seen, or not be stored.
    "\x00", "a\x00b", "\x07", "a\x1bb", "line\nbreak", "carriage\rreturn", "tab\tulator",
    "\u0085", "\u00a0", "\u200b", "\ufeff", "a\u200bb", "soft\u00adhyphen", "\u2028", "\ufffd",
    "\uffff",
    # Letters that are not what they look like, or change their length.
    "\u0430ssign", "e\u0301", "\u00e9", "\u0130", "\u00df", "\ufb01",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d", "\u202eabc",
    "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd", "\u4e2d\u6587",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea",
    # Numbers, and what only looks like one.
    "0", "-0", "-1", "+1", "1.0", "1,5", "1.234,56", "1 000", "1_000", "007", "1e3", "1E+05",
    "1e999999", "0x10", "1" * 30, "9223372036854775808", "\uff11\uff12", "\u0661\u0662",
    "\u00b2", "\u00bd", "\u2167", "nan", "NaN", "inf", "-Infinity", "true", "None", "null",
    "N/A", "-",
    # What spreadsheets make of cells.
    "5-Jan", "Jan-05", "05.01.2026", "#NAME?", "#REF!", "########", "2026-02-30", "02/30/2026",
    "0000-00-00", "9999-12-31", "31/12/2026", "2026-01-31 00:00:00", "2026-01-31T00:00:00Z",
    "25:61",
    # What a program could take for something else.
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", "+1+1", "'quoted'", '"', "'", '""', "\\", "\\x00",
    "%s %d %n", "{0.__class__}", "{", "$1", ",", ";", "|", "a,b;c", "'; DROP TABLE cases; --",
    "1 OR 1=1", "%", "_", "<script>alert(1)</script>", "&amp;", "../../etc/passwd",
    "http://[::1", "a@b", "@", "a@b@c", "Q2FzZTo5OTk5OTk5OTk=", "Q2FzZTo", "VXNlcjox", "role::",
    "[1", "(((((((((((",
)
"""Each one is tried in each column of the sample row."""
