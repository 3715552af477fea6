"""The embedded AWS: one model of what AWS does, on a virtual clock.

It knows AWS and nothing of patchgate: everything that it runs comes out of deployed templates. It never reads the
system clock, never reaches a network, and never answers an operation that it does not implement.
"""
