"""The whole embedded AWS: every component, in one place."""

from __future__ import annotations

from patchgate.emulator.agent.agents import Agents
from patchgate.emulator.agent.patching import Patching
from patchgate.emulator.backup import Backup
from patchgate.emulator.backup_vault_locks import VaultLocks
from patchgate.emulator.cloudformation import CloudFormation
from patchgate.emulator.cloudformation.drift import StackDrift
from patchgate.emulator.cloudformation.stack_sets import StackSets
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.events import Events
from patchgate.emulator.functions import Functions
from patchgate.emulator.kms import Kms
from patchgate.emulator.organizations import Organizations
from patchgate.emulator.scheduler import Scheduler
from patchgate.emulator.ssm_automation import Automation
from patchgate.emulator.ssm_baselines import Baselines
from patchgate.emulator.ssm_commands import Commands
from patchgate.emulator.ssm_documents import Documents
from patchgate.emulator.ssm_inventory import Inventory
from patchgate.emulator.ssm_parameters import Parameters
from patchgate.emulator.ssm_tags import ResourceTags
from patchgate.emulator.ssm_windows import MaintenanceWindows
from patchgate.emulator.ssm_windows_executions import WindowExecutions
from patchgate.emulator.ssm_windows_registrations import WindowRegistrations
from patchgate.emulator.ssm_windows_reports import WindowReports

COMPONENTS = (
    Ec2,
    Backup,
    VaultLocks,
    Parameters,
    Documents,
    ResourceTags,
    Baselines,
    Inventory,
    Agents,
    Patching,
    Commands,
    Automation,
    MaintenanceWindows,
    WindowRegistrations,
    WindowExecutions,
    WindowReports,
    Scheduler,
    Functions,
    Events,
    Kms,
    CloudFormation,
    StackDrift,
    StackSets,
    Organizations,
)
