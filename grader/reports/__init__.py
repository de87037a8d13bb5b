"""Pure functions of records: terminal table, HTML page, texts."""
