"""Files: FITS images, catalogues and the names of products."""
