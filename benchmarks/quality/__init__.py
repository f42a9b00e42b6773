"""How well digits are read that people, or code, have drawn."""
