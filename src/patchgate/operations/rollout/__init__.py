"""A fleet into its accounts: what should be there, what is there, the plan between the two, and its execution.

facts      what AWS has: stacks, stack sets, what earlier deployments left; the ports that read it
desired    lanes -> the stacks that should be there, in waves and stages
limits     quotas, lengths and sizes, before anything is touched
steps      the plan as values: waves, steps, stack sets
sets       steps of one stack set -> its own parameters and the overrides of its instances
planning   desired + facts -> plan
surplus    what is there and belongs to no lane; removals, for plans and for destroy
plan_file  a plan as JSON, and back
journal    what was done of a plan, line by line
execution  a plan -> calls, wave by wave, stage by stage
"""
