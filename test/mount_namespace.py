"""A test's own view of the file systems, in which it may mount what it likes."""

import os
import subprocess
import sys
import unittest

IN_NAMESPACE = "MILLRACE_TEST_NAMESPACE"
SKIPPED = 77  # as CMakeLists.txt has it for ctest


def main():
    """Runs the tests of the file that was started, in a mount namespace.

    Where the system allows none they are skipped, and ctest says so.
    """
    if os.environ.get(IN_NAMESPACE):
        unittest.main()
    command = ["unshare", "--map-root-user", "--mount"]
    refused = subprocess.run([*command, "true"], capture_output=True, text=True)
    if refused.returncode != 0:
        print(f"not run: this system allows no mount namespace: {refused.stderr.strip()}")
        print("as root, or with user namespaces, it would: man 1 unshare")
        sys.exit(SKIPPED)
    environment = os.environ | {IN_NAMESPACE: "1"}
    os.execvpe(command[0], [*command, sys.executable, "-B", *sys.argv], environment)
