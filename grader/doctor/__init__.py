"""What a sandbox promises, tried for real on this machine, and the verdict that later grades carry."""
