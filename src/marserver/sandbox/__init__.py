"""One reading statement of a user, carried out where it can do no harm.

`views` say what may be seen, `statement` what may be said, `turns` how many may ask at once. The statement
itself runs in a process of its own (`child`) with bounds on memory, time and disk, on its own connection:
`sqlite` or `postgres`. `sheets` writes the rows, `results` keeps the files of every user.
"""
