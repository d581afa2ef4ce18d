"""What each way of offering would have come to, by the product's own rules on a virtual clock."""

from scheduling.waitlist.simulation.comparing import both, compare
from scheduling.waitlist.simulation.engine import simulate
from scheduling.waitlist.simulation.history import world_of_history
from scheduling.waitlist.simulation.invented import Leads, invented_world
from scheduling.waitlist.simulation.outcomes import Fate, Figure, Outcome, Summary
from scheduling.waitlist.simulation.recommending import Recommendation, Why, recommend
from scheduling.waitlist.simulation.world import Behaviour, Person, Slot, World

__all__ = [
    "Behaviour",
    "Fate",
    "Figure",
    "Leads",
    "Outcome",
    "Person",
    "Recommendation",
    "Slot",
    "Summary",
    "Why",
    "World",
    "both",
    "compare",
    "invented_world",
    "recommend",
    "simulate",
    "world_of_history",
]
