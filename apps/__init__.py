"""Programs with a window, built on the library; they hold no network mathematics."""
