"""Reports: pure functions of records. No clock, no database, no randomness, no file but this package's own.

``terminal.print_report`` prints a grade, ``page.render`` makes one self-contained HTML page, ``junit.suites``
makes the XML of a class, and ``progress`` shows what is running. Import each from its module: each needs a
library of its own.
"""
