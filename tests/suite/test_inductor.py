"""What Inductor finds out once for all launchers."""

from pathlib import Path

import pytest

from perfsuite.backends.inductor import remembered


def test_an_instruction_set_is_asked_for_until_it_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    from torch._inductor.cpu_vec_isa import VecAVX2, VecAVX512

    answers = iter([False, True, True, True])
    asked = []

    def check_build(isa: object, code: str) -> bool:
        asked.append((str(isa), code))
        return next(answers)

    told = [
        remembered(check_build)(isa, code)  # as by one launcher after another
        for isa, code in [
            (VecAVX2(), "one"),
            (VecAVX2(), "one"),
            (VecAVX2(), "one"),
            (VecAVX512(), "one"),
            (VecAVX2(), "two"),
            (VecAVX2(), "two"),
        ]
    ]
    assert told == [False, True, True, True, True, True]
    assert asked == [("avx2", "one"), ("avx2", "one"), ("avx512", "one"), ("avx2", "two")]
