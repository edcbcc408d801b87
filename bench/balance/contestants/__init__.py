"""Each contestant is a program of its own: it says `ready`, reads its task as a line of JSON, works, writes a result.

They share `common`, which needs nothing but the standard library, as some run in an environment of their own.
"""
