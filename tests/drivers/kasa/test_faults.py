"""What the library's exceptions mean, by the whole chain of their causes."""

from __future__ import annotations

import kasa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.drivers.kasa.faults import (
    Garbled,
    Meaning,
    SaidNo,
    Unanswered,
    as_fault,
    chain,
    meaning_of,
    translated,
    unsupported,
    words,
)
from holdfast.drivers.kasa.library import load_library
from holdfast.errors import (
    DriverFault,
    HoldfastError,
    LinkFault,
    LoginRefused,
    Nonsense,
    Silent,
    Unreachable,
    Unsupported,
)
from tests.drivers.kasa.fake_kasa import Trouble, raised

LIBRARY = load_library()
MEANINGS = {
    Trouble.REFUSED: (Meaning.UNREACHABLE, Unreachable),
    Trouble.RESET: (Meaning.UNREACHABLE, Unreachable),
    Trouble.DISCONNECTED: (Meaning.UNREACHABLE, Unreachable),
    Trouble.TIMEOUT: (Meaning.SILENT, Unanswered),
    Trouble.LOGIN: (Meaning.LOGIN, LoginRefused),
    Trouble.SAYS_NO: (Meaning.NO, SaidNo),
    Trouble.GARBLED: (Meaning.NONSENSE, Garbled),
    Trouble.KEY: (Meaning.NONSENSE, Garbled),
    Trouble.ZONE: (Meaning.NONSENSE, Garbled),
    Trouble.UNSUPPORTED: (Meaning.UNSUPPORTED, Unsupported),
    Trouble.BROKEN: (Meaning.BUG, DriverFault),
}


@pytest.mark.parametrize("is_wrapped", [True, False])
@pytest.mark.parametrize("trouble", list(MEANINGS))
def test_each_kind_wrapped_or_not(trouble: Trouble, is_wrapped: bool) -> None:
    """IOT plugs' commands hide the true exception behind a plain one: the innermost decides."""
    error = raised(trouble, is_wrapped=is_wrapped)
    meaning, kind = MEANINGS[trouble]
    assert meaning_of(error, LIBRARY) is meaning
    told = translated(error, LIBRARY, "switching")
    assert type(told) is kind
    assert told.__cause__ is error
    assert isinstance(as_fault(told), LinkFault)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (TimeoutError(), Meaning.SILENT),
        (OSError(113, "no route"), Meaning.UNREACHABLE),
        (EOFError(), Meaning.UNREACHABLE),
        (kasa.KasaException("Error on system: {'err_code': -1}"), Meaning.NO),
        (kasa.exceptions._RetryableError("403"), Meaning.UNREACHABLE),
        (kasa.exceptions._ConnectionError("gone"), Meaning.UNREACHABLE),
    ],
)
def test_the_rest(error: Exception, meaning: Meaning) -> None:
    """Our own deadline, plain sockets, and the library's private classes, which are never imported."""
    assert meaning_of(error, LIBRARY) is meaning


def test_faults_of_the_session() -> None:
    """What ends a session is told as what it is."""
    assert type(as_fault(Unanswered("x", advice="y"))) is Silent
    assert type(as_fault(Garbled("x"))) is Nonsense
    assert as_fault(fault := Unreachable("x")) is fault


def test_words_are_short_and_hold_no_answer() -> None:
    """A plug's answer tells where it stands (latitude, longitude): it is cut off."""
    error = kasa.KasaException("Error on system get_sysinfo: {'latitude_i': 508467}\nmore")
    assert words(error, LIBRARY) == "Error on system get_sysinfo"
    assert len(words(kasa.KasaException("x" * 1000), LIBRARY)) == 120
    assert words(kasa.KasaException(""), LIBRARY) == "KasaException"
    assert words(ValueError("odd"), LIBRARY) == "odd"


def test_a_chain_that_bites_its_tail_ends() -> None:
    """Nothing forbids it."""
    one, other = ValueError("a"), ValueError("b")
    one.__cause__, other.__cause__ = other, one
    assert list(chain(one)) == [one, other]
    hidden = ValueError("c")
    hidden.__context__ = one
    assert len(list(chain(hidden))) == 3
    hidden.__suppress_context__ = True
    assert list(chain(hidden)) == [hidden]


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"device_type": "SMART.KASAPLUG", "mgt_encrypt_schm": {"encrypt_type": "TPAP"}}, "TPAP"),
        ({"result": {"device_type": "SMART.KASAPLUG", "encrypt_info": {"sym_schm": "AES"}}}, "AES"),
        ({"device_type": "SMART.TAPOHUB", "mgt_encrypt_schm": {"encrypt_type": "KLAP"}}, "TAPOHUB"),
        (
            {"device_type": "SMART.KASAPLUG", "mgt_encrypt_schm": {"encrypt_type": "KLAP"}},
            "nothing that is known",
        ),
        (None, "nothing that is known"),
    ],
)
def test_unsupported_in_words(told: object, word: str) -> None:
    """Made from what discovery told; without it, in general."""
    why = unsupported(kasa.UnsupportedDeviceError("secret owner", discovery_result=told), LIBRARY)
    assert word in why.text
    assert why.advice
    assert "owner" not in why.text
    assert unsupported(ValueError(), LIBRARY).advice


@given(st.lists(st.sampled_from(list(Trouble)), min_size=1, max_size=4))
def test_any_chain_has_a_meaning(troubles: list[Trouble]) -> None:
    """However exceptions are piled up, something of ours comes out."""
    top: Exception | None = None
    for trouble in troubles:
        error = raised(trouble)
        if top is not None:
            list(chain(error))[-1].__cause__ = top
        top = error
    assert top is not None
    assert isinstance(translated(top, LIBRARY, "reading"), HoldfastError)
