"""A team's store: `[roles]`, given to the logins of an `mlflow server --app-name basic-auth`.

A role here is a role there, with a level on the project's experiment and models, so that the
server refuses what `[roles]` would, whichever program asks. What is to change is planned, shown
and then done; doing it again changes nothing.
"""

from workbench.access.team.mapping import (
    LEVELS,
    Plan,
    Resources,
    Step,
    apply_roles,
    find_gaps,
    plan_roles,
)
from workbench.access.team.server import Login, LoginServer

__all__ = [
    "LEVELS",
    "Login",
    "LoginServer",
    "Plan",
    "Resources",
    "Step",
    "apply_roles",
    "find_gaps",
    "plan_roles",
]
