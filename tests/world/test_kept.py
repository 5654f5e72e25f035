"""What is kept of results that were made."""

from concurrent.futures import ThreadPoolExecutor

from vode.world.kept import Kept


def test_what_was_not_used_for_longest_goes_first():
    kept, made = Kept(3), []
    for key in "abcadaeab":
        assert kept.get(key, lambda key=key: made.append(key) or key.upper()) == key.upper()
    assert made == list("abcdeb")
    assert len(kept) == 3


def test_sizes_are_counted():
    kept = Kept(100)
    for key, size in (("a", 60), ("b", 30), ("c", 50)):
        kept.get(key, lambda size=size: size, lambda made: made)
    assert kept.total == 80
    kept.get("large", lambda: 500, lambda made: made)
    assert (len(kept), kept.total) == (1, 500), "one that is too large stays alone"


def test_threads_share_it():
    kept = Kept(5)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: kept.get(i % 9, lambda: i % 9), range(400)))
    assert found == [i % 9 for i in range(400)]
    assert len(kept) == kept.total == 5
