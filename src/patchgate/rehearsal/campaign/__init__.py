"""Campaigns: very many short rehearsals with faults everywhere, each from its seed, each judged.

terrain     what a run takes place in: one lane, its machines, its names, when its cycles fall due
shapes      the standard lanes, and how the seed picks one
ground      a terrain that is deployed once and restored for every run
paths       how many calls its programs make on each of their paths
faults      the catalogue: what each F-number of a campaign does, drawn from a run's seed
plan        a run as data: its shape, its reading of AWS, its injections
acts        how an injection is carried out on the embedded AWS, and undone
adversary   carries out a plan while a run goes on
run         one run: restore, injure, let the clock run, judge
series      many runs in several processes, and what came of them
repeating   where two histories of one seed part, and who is to blame
shrinking   the smallest plan that still breaks the promise

interleavings  every order of the gate's calls for small casts, without chance

Nothing here decides whether a promise was kept: that is the judge's, who reads the history alone.
"""
