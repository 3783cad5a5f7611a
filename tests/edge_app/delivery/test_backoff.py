"""Pauses between connections."""

from edge_app.delivery.backoff import FIRST_PAUSE_S, STEADY_S, Backoff


def test_pauses_double_up_to_the_longest_and_are_spread() -> None:
    backoffs = [Backoff(60.0) for _ in range(200)]
    for longest_s in (5.0, 10.0, 20.0, 40.0, 60.0, 60.0):
        pauses_s = [backoff.pause_s(0.0) for backoff in backoffs]
        assert 0.1 * longest_s <= min(pauses_s) < 0.3 * longest_s
        assert 0.8 * longest_s < max(pauses_s) <= longest_s


def test_a_connection_that_lived_starts_anew_and_one_that_flapped_does_not() -> None:
    backoff = Backoff(1e9)
    for _ in range(30):
        backoff.pause_s(STEADY_S / 2)
    assert backoff.pause_s(STEADY_S / 2) > 100 * FIRST_PAUSE_S
    assert backoff.pause_s(STEADY_S * 2) <= FIRST_PAUSE_S
