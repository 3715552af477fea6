"""A fleet as files for other tools: the stacks that ``patchgate deploy`` makes, without patchgate.

stacks        lanes -> their stacks, in the order in which they are deployed
files         templates, parameters and tags as files, named by account and Region
script        the calls of the AWS CLI, as a shell script
stack_sets    stack sets as input of the AWS CLI, and their part of the script
sceptre       the same stacks as a sceptre project
quick_create  links that open the console with a stack's form filled in
fleet         all of it
"""
