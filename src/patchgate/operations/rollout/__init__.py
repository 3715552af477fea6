"""A fleet into its accounts: what should be there, what is there, the plan between the two, and its execution.

facts      what AWS has: stacks, stack sets, what earlier deployments left; the ports that read it
desired    lanes -> the stacks that should be there, in waves and stages
limits     quotas, lengths and sizes, before anything is touched
steps      the plan as values: waves, steps, stack sets
sets       steps of one stack set -> its own parameters and the overrides of its instances
freeze_set the freeze calendars of a stack set
comparison one stack as it should be beside what is there
survey     a fleet with its lanes, and everything that a plan of it rests on
planning   survey -> plan
surplus    what is there and belongs to no lane
removal    survey -> the plan that removes the fleet
plan_file  a plan as JSON, and back
journal    what was done of a plan, line by line
verification  whether AWS is as a plan saw it, and as a wave should have left it
execution, set_execution  a plan -> calls, wave by wave, stage by stage
"""
