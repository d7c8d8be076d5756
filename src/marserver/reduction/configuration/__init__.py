"""The configuration files of an installation: which one is in force, its versions, and changing it.

All of it lives in the folder CONFIG of the data root: `mar.toml` and its like, `in_force`, which names the
one that counts, and `versions`, which keeps every text that ever counted.
"""
