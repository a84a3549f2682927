# SPDX-License-Identifier: Apache-2.0
"""The published forms of FER2013 hold the same pictures and votes."""

import csv

import cv2
import numpy as np
import pytest

from fer_evaluation.datasets.fer2013 import Usage
from fer_evaluation.datasets.fer2013_reader import read_fer2013
from fer_evaluation.datasets.votes import VOTE_COLUMNS

_COUNTS = {Usage.TRAINING: 5, Usage.PUBLIC_TEST: 3, Usage.PRIVATE_TEST: 2}


@pytest.fixture
def faces(rng):
    """(pictures, votes, usage) of ten rows in FER2013's order."""
    usage = np.repeat(list(_COUNTS), list(_COUNTS.values()))
    votes = rng.multinomial(10, [0.1] * 10, size=len(usage))
    images = rng.integers(0, 256, (len(usage), 48, 48), np.uint8)
    images[7] = images[1]  # a picture of PublicTest that stands in Training too
    return images, votes, usage


def _write_csv(folder, images, votes, usage):
    names = dict(zip(Usage, ("Training", "PublicTest", "PrivateTest"), strict=True))
    with (folder / "fer2013.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for image, split in zip(images, usage, strict=True):
            writer.writerow([0, " ".join(map(str, image.ravel())), names[split]])
    with (folder / "fer2013new.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Usage", "Image name", *VOTE_COLUMNS])
        for row, split in zip(votes, usage, strict=True):
            writer.writerow([names[split], "fer0000000.png", *row])


def _write_folders(folder, images, votes, usage):
    for split, name in zip(Usage, ("FER2013Train", "FER2013Valid", "FER2013Test"), strict=True):
        (folder / name).mkdir()
        with (folder / name / "label.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            for row in np.flatnonzero(usage == split):
                cv2.imwrite(str(folder / name / f"fer{row:07d}.png"), images[row])
                writer.writerow([f"fer{row:07d}.png", "(0, 0, 48, 48)", *votes[row]])


def _write_sheets(folder, images, votes, usage):
    sheet = np.zeros((48, 64 * 48), np.uint8)
    for index, image in enumerate(images):
        sheet[:, 48 * index : 48 * (index + 1)] = image
    cv2.imwrite(str(folder / "sheet_00.png"), sheet)
    np.savez(folder / "labels.npz", votes=votes, usage=usage, flags=np.zeros(len(usage), int))


def _write_icml_csv(folder, images, votes, usage):
    """As Kaggle's other table: spaces before the names, columns in another order."""
    _write_csv(folder, images, votes, usage)
    rows = list(csv.reader((folder / "fer2013.csv").open(newline="")))
    (folder / "fer2013.csv").unlink()
    with (folder / "icml_face_data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", " Usage", " pixels"])
        writer.writerows([emotion, split, pixels] for emotion, pixels, split in rows[1:])


@pytest.mark.parametrize("write", [_write_csv, _write_icml_csv, _write_folders, _write_sheets])
def test_every_form_gives_the_same_rows(tmp_path, faces, write):
    write(tmp_path, *faces)
    data = read_fer2013(tmp_path)
    for got, expected in zip((data.images, data.votes, data.usage), faces, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert data.leak_free_training_rows().tolist() == [0, 2, 3, 4]


def test_folder_without_any_form_is_told_what_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"fer2013\.csv.*FERPlus.*FER2013Train"):
        read_fer2013(tmp_path)


@pytest.mark.parametrize(
    ("write", "missing"),
    [
        (_write_csv, "fer2013new.csv"),
        (_write_folders, "FER2013Valid/label.csv"),
        (_write_folders, "FER2013Test/fer0000009.png"),
        (_write_sheets, "sheet_00.png"),
    ],
)
def test_missing_part_is_named(tmp_path, faces, write, missing):
    write(tmp_path, *faces)
    (tmp_path / missing).unlink()
    with pytest.raises(FileNotFoundError, match=missing):
        read_fer2013(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace("0,", "0,7 ", 1), r"fer2013\.csv, line 2: 2305 pixels"),
        (lambda text: text.replace("0,", "0,256 ", 1), r"fer2013\.csv, line 2: .*256"),
        (lambda text: text.replace("Training", "Trainig", 1), "line 2.*'Trainig'"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "has 9 rows"),
        (lambda text: text.replace("pixels", "picture", 1), "no column pixels"),
        (lambda text: text.splitlines()[0], "holds no picture"),
        (lambda text: text.splitlines()[0] + "\n0\n", "line 2: 0 pixels"),
    ],
)
def test_damaged_table_is_refused_by_file_and_line(tmp_path, faces, damage, message):
    _write_csv(tmp_path, *faces)
    table = tmp_path / "fer2013.csv"
    table.write_text(damage(table.read_text()))
    with pytest.raises(ValueError, match=message):
        read_fer2013(tmp_path)


def test_damaged_votes_are_refused_by_file_and_line(tmp_path, faces):
    _write_folders(tmp_path, *faces)
    table = tmp_path / "FER2013Train" / "label.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], lines[1] + ",3"]))
    with pytest.raises(ValueError, match=r"FER2013Train/label\.csv, line 2: 13 fields"):
        read_fer2013(tmp_path)
