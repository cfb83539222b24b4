"""Who asks, and what they may do: asked where something is written, so no face can forget it.

A person is who Jupyter, JupyterHub or Git says, and has a role from `[roles]` of `workbench.toml`:
viewer, developer, approver, admin, each with what the ones before it may. In a project without
roles everybody is an admin.

Names are only as good as who gives them: whoever can write the project's files can write a name as
well. A team keeps its store behind `mlflow server` with logins of its own, to which
`workbench roles apply` gives these roles; what that server refuses is refused here in the same
words, before anything is half done.
"""

from workbench.access.people import ROLES, Person, Role, act_as, acting_as, role_of, who
from workbench.access.permission import at_least, require
from workbench.access.refusals import refusal, refusals, shown_address

__all__ = [
    "ROLES",
    "Person",
    "Role",
    "act_as",
    "acting_as",
    "at_least",
    "refusal",
    "refusals",
    "require",
    "role_of",
    "shown_address",
    "who",
]
