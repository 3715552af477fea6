"""Lambda's faithful mode: functions in processes of their own, under AWS's runtime interface client (awslambdaric).

In the parent, in the order in which one leads to the next:

    runtime       who has children: ``FaithfulRuntime``, a context around an open wire door
    environment   one execution environment; carries out in lock step what its child asks for
    child         the process, its folder and its loopback endpoint
    messages      what a child says, and what waits for the answer
    output        what a child printed

In the child: ``launcher``, which puts the virtual clock in place of the machine's and then runs awslambdaric's own main
program; ``remote`` and ``private`` are what it needs for that. Those import neither moto nor the cloud.

docs/explanation/how-functions-run.md says how it works and where its limits are.
"""
