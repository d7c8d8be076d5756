"""What takes long to count is counted once for all who ask."""

import threading

import pytest

from marserver.kept import Kept


class Counting:
    """Counts its calls, and waits in each until it may go on."""

    def __init__(self):
        self.calls = 0
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self, *what):
        self.calls += 1
        self.begun.set()
        assert self.may_end.wait(10)
        return (self.calls, *what)


@pytest.fixture
def counting():
    return Counting()


def test_a_value_is_counted_once_while_it_is_fresh(counting):
    counting.may_end.set()
    kept = Kept(counting, lambda: 60.0)
    assert [kept("a"), kept("a"), kept("b"), kept("a")] == [(1, "a"), (1, "a"), (2, "b"), (1, "a")]


def test_who_comes_while_it_is_counted_again_gets_the_value_of_before(counting):
    counting.may_end.set()
    kept = Kept(counting, lambda: -1.0)
    assert kept() == (1,)
    counting.begun.clear(), counting.may_end.clear()
    found = []
    other = threading.Thread(target=lambda: found.append(kept()))
    other.start()
    assert counting.begun.wait(10)
    assert kept() == (1,)
    counting.may_end.set()
    other.join()
    assert found == [(2,)]


def test_each_data_root_has_its_own(counting, settings, tmp_path):
    counting.may_end.set()
    kept = Kept(counting, lambda: 60.0)
    first = kept()
    settings.MAR_ROOT = tmp_path
    assert kept() != first


def test_a_count_that_fails_is_tried_again():
    answers = iter([ZeroDivisionError, 7])

    def count():
        answer = next(answers)
        if answer is ZeroDivisionError:
            raise answer
        return answer

    kept = Kept(count, lambda: 60.0)
    with pytest.raises(ZeroDivisionError):
        kept()
    assert kept() == 7
