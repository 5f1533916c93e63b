"""Values in columns: whatever goes in comes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.store.encoding import decoded, encoded, fits_text, fitting, micros, moment_of
from tests.store.sites import exact, values


@given(values)
def test_plain_values_come_back_exactly(value: object) -> None:
    assert encoded(value).isascii()
    assert exact(decoded(encoded(value))) == exact(value)


@pytest.mark.parametrize("key", [6, -6, 0, 2**70, "6", "#6", "##6", "#", "", "#x"], ids=repr)
def test_numbers_and_text_that_looks_like_them_stay_apart(key: str | int) -> None:
    assert exact(decoded(encoded({key: 1}))) == exact({key: 1})


@given(st.text())
def test_what_is_written_to_a_text_column_fits_it(text: str) -> None:
    assert fits_text(fitting(text))
    assert not fits_text(text) or fitting(text) == text
    fitting(text).encode()


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7, seconds=1))])))
def test_moments_are_exact_to_the_microsecond(moment: datetime) -> None:
    assert moment_of(micros(moment)) == moment


def test_a_moment_without_a_time_zone_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        micros(datetime(2026, 1, 1))  # noqa: DTZ001  the point
