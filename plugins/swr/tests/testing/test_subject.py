from cqrs_swr.testing.subject import Subject
from returns.result import Success


async def test_two_processes_share_a_store_and_nothing_else() -> None:
    """A handler ends when it is told, and what it said is found by the other process."""
    subject = Subject()
    await subject.open()
    call = subject.call(0, ("a", 1))
    await subject.settle()
    assert (call.task.done(), subject.executions[0].key) == (False, ("a", 1))
    subject.executions[0].ended.set_result("success")
    await subject.settle()
    other = subject.call(1, ("a", 1))
    await subject.settle()

    assert (call.task.result(), call.status) == (Success("0"), "miss")
    assert (other.task.result(), other.status) == (Success("0"), "fresh")
    assert len(subject.running[0].state.memory) == 1
    await subject.crash(0)
    assert len(subject.running[0].state.memory) == 0
    assert await subject.flip(("a", 1), 5, 3) is True
    assert await subject.flip(("b", 1), 5, 3) is False
    await subject.close()
