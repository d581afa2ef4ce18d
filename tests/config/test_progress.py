"""Short steps are silent, long ones are not."""

import io
import time

from config.progress import step


def test_a_short_step_says_nothing() -> None:
    output = io.StringIO()
    with step("Thinking", output):
        pass
    assert output.getvalue() == ""


def test_a_long_step_announces_itself_and_tells_its_time() -> None:
    output = io.StringIO()
    with step("Thinking", output):
        time.sleep(1.2)
        assert output.getvalue() == "Thinking …\n"
    assert output.getvalue().splitlines()[1].startswith("Thinking: 1.")
