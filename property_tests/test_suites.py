"""What is right keeps every law of its suite, on asyncio and, where the core runs there, on trio."""

from hypothesis import settings

from cqrs.testing import Backend, laws_for
from property_tests.mutants.buses import BUSES
from property_tests.mutants.dead_letter_queues import DEAD_LETTER_QUEUES
from property_tests.mutants.handlers import HANDLERS
from property_tests.mutants.middlewares import MIDDLEWARES
from property_tests.mutants.plugin_classes import PLUGIN_CLASSES
from property_tests.mutants.retries import RETRIES
from property_tests.mutants.setting_classes import SETTING_CLASSES

# Each example waits for the disk: a fifth of them while one works, all of them at night.
NIGHTLY = settings.get_profile("nightly").max_examples
COUNT = settings().max_examples
FEWER = settings(max_examples=COUNT if COUNT >= NIGHTLY else COUNT // 5)
BOTH: tuple[Backend, ...] = ("asyncio", "trio")

TestHandler = laws_for("TestHandler", HANDLERS.laws, subject=HANDLERS.subjects[0], backends=BOTH)
TestPassingMiddleware = laws_for(
    "TestPassingMiddleware", MIDDLEWARES.laws, subject=MIDDLEWARES.subjects[0], backends=BOTH
)
TestRefusingMiddleware = laws_for(
    "TestRefusingMiddleware", MIDDLEWARES.laws, subject=MIDDLEWARES.subjects[1], backends=BOTH
)
TestBuses = laws_for("TestBuses", BUSES.laws, subject=BUSES.subjects[0], backends=BOTH)
TestBusesInMiddleware = laws_for(
    "TestBusesInMiddleware", BUSES.laws, subject=BUSES.subjects[1], backends=BOTH
)
TestRetryPolicy = laws_for("TestRetryPolicy", RETRIES.laws, subject=RETRIES.subjects[0])
TestMemoryDeadLetters = laws_for(
    "TestMemoryDeadLetters", DEAD_LETTER_QUEUES.laws, subject=DEAD_LETTER_QUEUES.subjects[0], backends=BOTH
)
TestStoredDeadLetters = laws_for(
    "TestStoredDeadLetters",
    DEAD_LETTER_QUEUES.laws,
    subject=DEAD_LETTER_QUEUES.subjects[1],
    settings=FEWER,
)
TestPlugin = laws_for("TestPlugin", PLUGIN_CLASSES.laws, subject=PLUGIN_CLASSES.subjects[0])
TestSettings = laws_for("TestSettings", SETTING_CLASSES.laws, subject=SETTING_CLASSES.subjects[0])
TestRequiredSettings = laws_for(
    "TestRequiredSettings", SETTING_CLASSES.laws, subject=SETTING_CLASSES.subjects[1]
)
