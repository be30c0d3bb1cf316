"""Who somebody is, by what, and whether that still holds."""
