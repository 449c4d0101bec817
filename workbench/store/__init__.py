"""What we remember: the home folder, its journal, and the index that answers questions about it.

Notebooks, files and the journal are the truth; DuckDB is an index that can be thrown away and
made anew from them. Every change is one journal record, on disk before anybody is told; every
question takes the principal who asks. This floor owns DuckDB: no other may import it. It never
runs a notebook, never speaks HTTP and never asks the machine for the time: it is given a clock.
"""
