import threading

import pytest

from local_sagemaker.hosting.outstanding import Outstanding


def test_nothing_is_waited_for_where_nothing_was_asked():
    assert Outstanding().wait(0)


def test_the_end_of_the_last_request_ends_the_wait():
    outstanding, goes_on = Outstanding(), threading.Event()

    def answer():
        with outstanding.one():
            goes_on.wait(10)

    threads = [threading.Thread(target=answer) for _ in range(2)]
    for thread in threads:
        thread.start()
    while outstanding.count < len(threads):
        pass
    assert not outstanding.wait(0.01)
    goes_on.set()
    assert outstanding.wait(10)
    assert outstanding.count == 0


def test_a_request_that_fails_has_ended_too():
    outstanding = Outstanding()
    with pytest.raises(ValueError, match="model"), outstanding.one():
        raise ValueError("model")
    assert outstanding.count == 0
