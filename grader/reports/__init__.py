"""Reports: pure functions of records. No clock, no database, no randomness, no file but this package's own.

``table.print_report`` writes to a terminal, ``html.render`` makes one self-contained page, and
``progress.GradingProgress`` shows what runs meanwhile. Import them from their modules: each brings a library
of its own.
"""
