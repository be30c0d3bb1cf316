"""COPY keeps the checkout's permissions, and a umask of 077 leaves the containers' users none."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILES = [ROOT / "app/Dockerfile", *sorted(ROOT.glob("docker/*/Dockerfile"))]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_what_is_copied_from_the_checkout_is_made_readable_before_anybody_else_reads_it(dockerfile: Path) -> None:
    text = re.sub(r"^ *#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    for stage in re.split(r"^FROM .*\n", text, flags=re.MULTILINE)[1:]:
        before_the_user = stage.partition("\nUSER ")[0]
        for target in re.findall(r"^COPY (?!--from).* (\S+)$", stage, re.MULTILINE):
            if target == "/requirements.txt" or (target == "/" and "requirements.txt /" in stage):
                continue  # read by the build alone, which is root
            assert re.search(r"chmod (-R )?a\+r", before_the_user.partition(f" {target}\n")[2]), target
