"""Makes other handwriting from the same digits."""
