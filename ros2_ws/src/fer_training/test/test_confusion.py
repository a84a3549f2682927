# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from fer_training.figures.confusion import draw_confusion, main, read_confusion, write_confusion


def test_a_written_matrix_is_read_back_and_drawn(tmp_path):
    counts = np.array([[8, 2], [0, 0]])
    write_confusion(tmp_path / "confusion_a.csv", ("happiness", "fear"), counts)
    labels, read = read_confusion(tmp_path / "confusion_a.csv")
    assert labels == ["happiness", "fear"]
    np.testing.assert_array_equal(read, counts)
    draw_confusion(tmp_path / "confusion_a.csv", tmp_path / "a.png", "a")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_rows_in_another_order_are_refused(tmp_path):
    (tmp_path / "confusion_a.csv").write_text("x,a,b\nb,1,2\na,3,4\n")
    with pytest.raises(ValueError, match="labels"):
        read_confusion(tmp_path / "confusion_a.csv")


def test_every_matrix_of_every_model_is_drawn(repository_models, tmp_path):
    main([str(repository_models), str(tmp_path / "out")])
    tables = list(repository_models.glob("*/confusion_*.csv"))
    assert tables and len(list((tmp_path / "out").glob("*.png"))) == len(tables)


def test_a_folder_without_models_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), str(tmp_path / "out")])
    assert ended.value.code == 2 and "no confusion_" in capsys.readouterr().err
