"""The pictures of the book, a module for each chapter: functions that return a figure."""
