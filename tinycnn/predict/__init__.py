"""Reads the digits in pictures and drawings."""
