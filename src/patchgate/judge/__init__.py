"""The judge: did a run keep the promises? It reads recorded histories and shares no code with what it judges.

``judge.judge`` is the entry; ``facts`` is what a history says, ``promises`` is what must be true of it.
"""
