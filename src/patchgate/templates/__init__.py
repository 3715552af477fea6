"""The three CloudFormation templates as data: built from the catalogues, the names and the gate's code, and rendered.

Everything here is pure. A template holds its parameters, conditions, resources and outputs; `text()` is the file.
"""

from patchgate.templates.catalogue import build_templates
from patchgate.templates.document import Template
from patchgate.templates.parameters import Parameter

__all__ = ["Parameter", "Template", "build_templates"]
