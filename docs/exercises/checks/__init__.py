"""What is right, and what is often wrong, chapter by chapter. Look here last."""
