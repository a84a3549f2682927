# SPDX-License-Identifier: Apache-2.0
from robustness.soak.training_kills import kill_and_resume


def test_a_training_that_is_killed_and_resumed_leaves_the_files_of_an_unbroken_one():
    report = kill_and_resume(kills=3)
    assert report.kills == 3
    assert report.different == ()
