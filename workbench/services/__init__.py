"""What people do with the nouns.

A service holds no state that would be missed: it asks the store what is, the kernels to carry
something out, the domain what is allowed, and tells the store what has become of it. Everybody
who asks is a `Principal`. No HTTP, no SQL, no Jupyter may enter; those are the floors beside and
above.
"""
