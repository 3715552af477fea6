"""Rehearsals: the real templates and the real gate on the embedded AWS, on a virtual clock, judged.

worlds      world files -> the machines that a run starts from
engine      what a rehearsal needs of whatever plays AWS
stage       the engine of this process: an embedded AWS with a world in it
endpoint    an engine that is only a URL
serving     worlds for a server of the embedded AWS
history     the contract of a recorded history
run         one rehearsal, and the contrast with a gate that counts jobs
summary     a recorded history -> what became of every lane and instance

It takes all that runs from deployed templates, and never touches a real account.
"""
