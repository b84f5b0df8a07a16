"""What the laws of the buses look at."""

from cqrs import CqrsApp, Feature
from cqrs.testing import BusSubject, RecordingInstrument
from cqrs.testing.handler_laws import dispatch
from cqrs.testing.scripted import First, scripted


async def test_an_app_of_nothing_else_is_composed() -> None:
    """Without a word of the user's, it is the feature and the instruments, and no installed plugin."""
    feature, told = Feature("plain"), RecordingInstrument()
    feature.handles(First)(scripted("success", []))

    app = BusSubject().compose(feature, [told])

    assert isinstance(app, CqrsApp)
    async with app:
        await dispatch(app, First(1))
        assert app.plugins == ()
    assert len(told.observations) == 1
