"""One file, read: hostile notebooks and scripts as cells, answers and figures; the template's cells."""
