"""`python -m oncilla_bench`."""

import sys

from oncilla_bench.cli import main

sys.exit(main())
