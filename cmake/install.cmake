# Filled by the packaging: where libraries, headers and the command are installed.
