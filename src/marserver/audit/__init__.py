"""Who changed what and when, before and after: written once, never changed."""
