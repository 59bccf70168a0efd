"""What belongs to one lesson only: its settings, its visit, and what its pictures show."""
