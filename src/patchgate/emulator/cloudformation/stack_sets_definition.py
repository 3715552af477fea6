"""What a stack set is made of, checked as CreateStackSet and UpdateStackSet check it.

Assumptions: CreateStackSet checks the template, its capabilities and its parameters as CreateStack does; values that
Parameter Store holds are read in each account, when its stack is deployed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from patchgate.emulator.cloud import Cloud, Params, Scope
from patchgate.emulator.cloudformation.capabilities import check_capabilities
from patchgate.emulator.cloudformation.deployment import check_template
from patchgate.emulator.cloudformation.parameters import ParameterValue, bind_parameters, declare_parameters
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.requests import checked_tags
from patchgate.emulator.cloudformation.stack_sets_state import StackSet
from patchgate.emulator.cloudformation.template_source import given_template
from patchgate.emulator.errors import NotEmulatedError

ADMINISTRATION_ROLE = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"


@dataclass(frozen=True, slots=True)
class Definition:
    """A template with its parameters, for the stacks of a set."""

    template: str
    parameters: dict[str, ParameterValue]
    capabilities: tuple[str, ...]
    tags: dict[str, str]

    def adopt(self, stack_set: StackSet) -> None:
        """Make it what the set deploys."""
        stack_set.template = self.template
        stack_set.parameters = {name: item.given for name, item in self.parameters.items()}
        stack_set.described_parameters = [item.described() for item in self.parameters.values()]
        stack_set.capabilities, stack_set.tags = self.capabilities, self.tags


def define(cloud: Cloud, scope: Scope, params: Params, stack_set: StackSet | None) -> Definition:
    """What a request says; ``stack_set`` is the one that it updates, None where it creates one."""
    body = given_template(cloud, scope, params)
    if params.get("UsePreviousTemplate"):
        if body is not None or stack_set is None:
            raise invalid("You can specify either UsePreviousTemplate or TemplateBody, but not both.")
        body = stack_set.template
    if body is None:
        raise invalid("Either Template URL or Template Body must be specified.")
    template = check_template(scope.region, body)
    previous = None if stack_set is None else stack_set.parameters
    given = params.get("Parameters") or ()
    parameters = bind_parameters(declare_parameters(template.parameters), given, previous, lambda name: name)
    capabilities = tuple(params.get("Capabilities") or ())
    check_capabilities(template, capabilities)
    keeps = stack_set is not None and params.get("Tags") is None
    tags = stack_set.tags if keeps and stack_set is not None else checked_tags(params)
    return Definition(body, parameters, capabilities, tags)


def checked_set_name(params: Params) -> str:
    """The name of a stack set to be, or ValidationError."""
    name = str(params["StackSetName"])
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]{0,127}"
        )
    return name


def settle_permissions(scope: Scope, params: Params, stack_set: StackSet) -> None:
    """Roles and automatic deployment of a set, as a request says them; ValidationError where they do not fit."""
    if (params.get("ManagedExecution") or {}).get("Active"):
        raise NotEmulatedError("stack sets with ManagedExecution")
    automatic = params.get("AutoDeployment")
    administration, execution = params.get("AdministrationRoleARN"), params.get("ExecutionRoleName")
    if stack_set.service_managed:
        if administration or execution:
            raise invalid("AdministrationRoleARN and ExecutionRoleName are for the SELF_MANAGED permission model only")
        _settle_automatic(automatic, stack_set)
        return
    if automatic and automatic.get("Enabled"):
        raise invalid("AutoDeployment is for the SERVICE_MANAGED permission model only")
    default = f"arn:{scope.partition}:iam::{scope.account}:role/{ADMINISTRATION_ROLE}"
    stack_set.administration_role = administration or stack_set.administration_role or default
    stack_set.execution_role = execution or stack_set.execution_role or EXECUTION_ROLE


def _settle_automatic(automatic: Params | None, stack_set: StackSet) -> None:
    if automatic is None:
        return
    if automatic.get("DependsOn"):
        raise NotEmulatedError("AutoDeployment with DependsOn")
    enabled, retain = bool(automatic.get("Enabled")), automatic.get("RetainStacksOnAccountRemoval")
    if enabled and retain is None:
        raise invalid("RetainStacksOnAccountRemoval is needed where AutoDeployment is enabled")
    if not enabled and retain is not None:
        raise invalid("RetainStacksOnAccountRemoval can be specified only where AutoDeployment is enabled")
    stack_set.auto_deployment, stack_set.retain_on_removal = enabled, bool(retain)
