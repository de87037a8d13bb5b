"""Hostile files and layouts: folders and zips as learning platforms make them. Nothing in them is run."""
