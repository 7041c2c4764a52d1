"""Nothing is downloaded: the transformers are initialised at random."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
