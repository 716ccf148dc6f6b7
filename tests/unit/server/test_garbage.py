"""The garbage collector of a serving process."""

import gc

from sealmesh.server.garbage import collect_less


def test_what_the_start_made_is_never_looked_at_again() -> None:
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    try:
        collect_less()

        assert gc.get_freeze_count() > max(frozen, 10_000)
        assert gc.get_threshold()[0] > 700
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
