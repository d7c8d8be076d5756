"""Images as a viewer looks at them: parts of a FITS file at any zoom, values, sky, and what lies on it."""
