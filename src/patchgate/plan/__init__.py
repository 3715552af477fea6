"""From a fleet and facts to lanes, names and steps. Pure: values in, values out.

``names`` is the one place of every name that AWS sees. Nothing here reads AWS or a clock.
"""
