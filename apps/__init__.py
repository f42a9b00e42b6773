"""Programs with a window that stand on the library; they hold no network mathematics."""
