"""An engine in another process, of which nothing is known but its URL: its control endpoints and SDK sessions.

client      the control endpoints: what an engine is, its beginning, its clock, its history
sessions    boto3 sessions whose clients all go to the URL, and nowhere else

Whatever speaks ``emulator.protocol`` can stand there; nothing here loads moto or a cloud.
"""
