"""Reach: files in and out, and what needs the disk."""
