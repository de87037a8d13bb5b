"""The walls around student code, one a module: system calls, files, processes, memory, names, privileges."""
