"""Operations: checked, costed and executed; no HTTP."""
