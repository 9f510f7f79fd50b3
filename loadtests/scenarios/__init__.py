"""The questions of the race, by name; each file says how its figure is taken."""

from loadtests.scenarios.base import Scenario
from loadtests.scenarios.first_answer import FirstAnswer
from loadtests.scenarios.idle_memory import IdleMemory
from loadtests.scenarios.many_routes import ManyRoutes
from loadtests.scenarios.steady_memory import SteadyMemory
from loadtests.scenarios.throughput import THROUGHPUT
from loadtests.scenarios.upload import UPLOADS

ALL: tuple[Scenario, ...] = (
    *THROUGHPUT,
    IdleMemory(),
    FirstAnswer(),
    ManyRoutes(),
    SteadyMemory(),
    *UPLOADS,
)
SCENARIOS = {scenario.name: scenario for scenario in ALL}
QUICK = ("json", "typed", "typed-query", "validated", "errors")
