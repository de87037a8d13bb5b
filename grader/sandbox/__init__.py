"""Starting, confining and ending the process that runs student code."""
