from cqrs_swr.write_queue import MOST_BYTES, MOST_ROWS, LeaseAsked, PendingRow, WriteQueue


def row(size: int = 1) -> PendingRow:
    return PendingRow(b"x" * size, 60.0)


REMOVAL = PendingRow(None, 0.0)


def test_only_the_last_row_of_a_key_waits() -> None:
    """What was superseded before it was written is not written."""
    queue = WriteQueue()
    first, last = row(), row()
    queue.put(b"a", first)
    queue.put(b"b", row())
    queue.put(b"a", last)
    queue.row_written(b"a", first)

    assert queue.row(b"a") is last
    assert queue.next_row() == (b"b", queue.row(b"b"))
    queue.row_written(b"a", last)
    assert queue.row(b"a") is None


def test_rows_are_bounded_in_number_and_bytes_and_removals_are_not_dropped() -> None:
    """The oldest answers give way; that an answer is wrong is never forgotten."""
    queue = WriteQueue()
    queue.put(b"removed", REMOVAL)
    for number in range(MOST_ROWS + 10):
        queue.put(b"%d" % number, row())
    assert queue.row(b"removed") is REMOVAL
    assert queue.dropped == 11
    queue.put(b"large", row(MOST_BYTES))

    assert queue.row(b"removed") is REMOVAL
    assert queue.dropped > MOST_ROWS


def test_epochs_wait_until_they_are_written() -> None:
    """A newer token that came meanwhile waits on."""
    queue = WriteQueue()
    queue.renew({b"a": b"1", b"b": b"2"})
    tokens = queue.epochs()
    queue.renew({b"b": b"3"})
    queue.epochs_written(tokens)

    assert (queue.epoch(b"a"), queue.epoch(b"b"), queue.has_epochs()) == (None, b"3", True)


def test_a_lease_is_given_back_after_its_row_is_written() -> None:
    """Whoever gets it next finds the answer."""
    queue = WriteQueue()
    waiting = row()
    queue.put(b"a", waiting)
    queue.release(b"a", b"me")
    queue.release(b"b", b"me")
    assert queue.next_release() == (b"b", b"me")
    assert queue.next_release() is None
    queue.row_written(b"a", waiting)

    assert queue.next_release() == (b"a", b"me")
    assert queue.is_empty()


def test_leases_are_asked_for_in_their_order() -> None:
    """First come, first served."""
    queue = WriteQueue()
    told: list[bool] = []
    asked = [LeaseAsked(bytes([n]), b"me", 1.0, lambda *, given: told.append(given)) for n in range(3)]
    for each in asked:
        queue.ask(each)

    assert [queue.next_lease() for _ in range(4)] == [*asked, None]


def test_waiting_ends_when_there_is_something_to_do() -> None:
    """At once if there is already."""
    queue = WriteQueue()
    queue.wait(0.001, for_work=True)
    queue.renew({b"a": b"1"})
    queue.wait(None, for_work=True)
    queue.wake()
    queue.wait(None, for_work=False)

    assert queue.drop_rows() == 0
    assert not queue.is_empty()
