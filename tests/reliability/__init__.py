"""Evidence of reliability: faults, kills and hostile files, tried many times."""
