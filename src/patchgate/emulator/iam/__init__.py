"""Who may do what: policies, the roles that services assume, and what each operation needs.

policy        statements and their conditions, of roles and of buckets
requirements  operation -> the actions and resources that a role must be allowed
roles         the roles that IAM keeps, with their policies, read once per change
authority     the check of every call that a role makes
"""
