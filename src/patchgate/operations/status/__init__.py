"""How a fleet is: what is deployed of every lane, when it runs next, what came of its last cycle, what needs a person.

facts      what AWS has of a lane beside its stacks, as values; the port that reads it
expected   the lanes of a fleet file with the stacks that they should have
cycles     leases, holds and evidence -> the last cycle and what came of it
upcoming   the schedules that are deployed -> the next backup, gate, window and close
model      the status of a lane, as values
judging    expectation + facts + the time -> status, with everything that needs a person
fleet      all lanes, read concurrently
"""
