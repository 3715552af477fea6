"""The ports of ``operations`` on AWS: adapters over boto3 clients, and nothing that decides.

Adapters are given their clients by a factory ``(account, region) -> client`` and their way of waiting by a callable,
so that the same code runs against AWS and against the embedded AWS on its virtual clock. Refusals of AWS become
PatchgateError with what was tried, on what, and what to do next. This room never imports the embedded AWS.
"""
