"""What patchgate talks about: lanes, environments, reasons, and the catalogues of operating systems and Regions.

Values and data files; nothing here reads AWS, a clock or a fleet file.
"""
