"""Every order in which the gate's programs can make their calls: the exhaustive part of the campaigns.

graph       states, the steps between them, the ways through them
search      the search of a system's orders, with equal states merged, and why that is sound
control     the embedded AWS as such a system: an API call waits for its turn
situations  who may meet, and at which instants of a cycle
series      every search that is made, in several processes, and what came of them
page        the results as text, JSON and as a page of the documentation

``python -m patchgate.rehearsal.campaign.interleavings`` (``make interleavings``) makes them all.
"""
