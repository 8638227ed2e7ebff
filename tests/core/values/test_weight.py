"""The pure modules must not drag in the libraries that they use only now and then."""

import subprocess
import sys


def test_importing_values_and_normalizers_loads_no_slow_library() -> None:
    code = (
        "import sys, clientela.values, clientela.normalize\n"
        "slow = {'babel', 'phonenumbers', 'email_validator', 'stdnum', 'sqlalchemy', 'pydantic'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
