"""Results as people and programs read them: text for terminals, JSON, pictures.

Nothing here decides anything or reads a clock; everything that comes from outside is made safe before it is shown.
"""
