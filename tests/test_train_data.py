"""What is read from files and taken as data: nothing runs, and each fault has its sentence."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from symprop.errors import FileError, InputError
from symprop.train import load_arrays, save_arrays
from symprop.train.data import fit_data
from symprop.train.signature import signature


class Trap:
    def __reduce__(self):
        return os.mkdir, ("PWNED",)


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_round_trip_with_numpy_both_ways(tmp_path):
    arrays = {
        "file": np.arange(6.0).reshape(2, 3),
        "t": np.array([1, 2], np.int32),
        "s": np.array(2.5, np.float32),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    save_arrays(tmp_path / "a.npz", arrays)
    back = load_arrays(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        for name, array in arrays.items():
            assert back[name].dtype == array.dtype == stored[name].dtype
            assert np.array_equal(back[name], array) and np.array_equal(stored[name], array)
    np.savez_compressed(tmp_path / "b.npz", x=np.zeros((100, 100)))
    assert load_arrays(tmp_path / "b.npz")["x"].shape == (100, 100)


def test_the_same_arrays_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save_arrays(tmp_path / f"{name}.npz", {"x": np.arange(3.0)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_pickles_are_refused_unread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("objects.npz", W=np.array([Trap()], dtype=object))
    with pytest.raises(InputError, match=r"W in objects.npz holds objects; object arrays are not"):
        load_arrays("objects.npz")
    zipped("raw.npz", [("W.npy", pickle.dumps(Trap()))])
    with pytest.raises(InputError, match=r"W in raw.npz is not an array"):
        load_arrays("raw.npz")
    assert not os.path.exists("PWNED")


@pytest.mark.parametrize(
    ("member", "fault"),
    [
        ("../../evil.npy", "member name '../../evil.npy'"),
        ("x y.npy", "member name"),
        ("__import__.npy", "member name"),
        ("x.txt", "does not end in .npy"),
    ],
)
def test_member_names_are_no_paths(tmp_path, member, fault):
    with pytest.raises(InputError, match=fault):
        load_arrays(zipped(tmp_path / "a.npz", [(member, npy(np.ones(2)))]))


def test_a_header_that_lies_asks_for_no_memory(tmp_path):
    content = npy(np.ones(2)).replace(b"(2,), }" + b" " * 12, b"(1000000000000,), }")
    assert b"1000000000000" in content
    with pytest.raises(InputError, match=r"damaged: its header says \(1000000000000,\)"):
        load_arrays(zipped(tmp_path / "a.npz", [("x.npy", content)]))


def test_what_is_no_npz(tmp_path):
    with pytest.raises(FileError, match=r"cannot read .*nothing.npz: No such file"):
        load_arrays(tmp_path / "nothing.npz")
    with pytest.raises(FileError, match="cannot read"):
        load_arrays(tmp_path)
    (tmp_path / "text.npz").write_text("hello")
    np.save(tmp_path / "one.npy", np.ones(3))
    for name in ("text.npz", "one.npy"):
        with pytest.raises(InputError, match=r"is not an .npz file"):
            load_arrays(tmp_path / name)
    whole = zipped(tmp_path / "whole.npz", [("x.npy", npy(np.ones(200)))]).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:300])
    with pytest.raises(InputError, match=r"is not an .npz file"):
        load_arrays(tmp_path / "cut.npz")
    damaged = whole.replace(np.ones(2).tobytes(), b"\x01" * 16, 1)
    (tmp_path / "damaged.npz").write_bytes(damaged)
    with pytest.raises(InputError, match=r"is not an .npz file"):
        load_arrays(tmp_path / "damaged.npz")


MODEL = signature({"X": "N K", "y": "int N", "k": "bool N", "s": "", "w": "K"}, ["w"])
GOOD = {"X": np.ones((4, 2)), "y": np.arange(4), "k": np.ones(4, bool), "s": 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": None}, r"the data lack X; the model takes X: 'N K', y: 'int N', k: 'bool N', s: ''"),
        ({"w": np.ones(2)}, "w is trained and cannot be data: give it as init"),
        ({"Z": np.ones(2)}, "Z is no input of the model; it takes X: 'N K'"),
        ({"y": np.ones(4)}, "y is declared as int but holds float64 numbers"),
        ({"k": np.arange(4)}, "k is declared as bool but holds int64 numbers"),
        ({"X": [[1.0], [1.0, 2.0]]}, "X is ragged"),
        ({"X": np.full((4, 2), np.nan)}, "X holds numbers that are not finite"),
        ({"X": np.array([["a"]])}, "X holds <U1, not real numbers"),
        ({"X": np.ones((4, 2), complex)}, "X holds complex128, not real numbers"),
        ({"X": np.array([[None]])}, "X holds object, not real numbers"),
        ({"X": np.ones((0, 2))}, r"X is empty: it has the shape \(0, 2\)"),
    ],
)
def test_data_that_do_not_fit(change, message):
    given = {name: array for name, array in {**GOOD, **change}.items() if array is not None}
    with pytest.raises(InputError, match=message):
        fit_data(MODEL, given)


def test_one_floating_type_for_all():
    fitted = fit_data(MODEL, {**GOOD, "X": np.ones((4, 2), np.float32)})
    assert fitted["X"].dtype == fitted["s"].dtype == np.float32
    whole = fit_data(MODEL, {**GOOD, "X": np.ones((4, 2), np.uint8)})
    assert whole["X"].dtype == np.float64 and whole["y"].dtype.kind == "i"
    assert fit_data(MODEL, {**GOOD, "X": np.ones((4, 2), np.float16)})["X"].dtype == np.float32
