"""Code that two students' submissions have in common, without what the course gave and what many write."""
