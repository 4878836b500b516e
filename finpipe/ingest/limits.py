"""How much is too much. Every bound of land and load stands here, with the reason for it.

Belongs here: numbers.  Does not belong here: the code that applies them.
"""

from typing import Final

MEGABYTE: Final = 1024 * 1024

#: A landed file (as delivered) and the same file unpacked; beyond this, deliver it in parts.
MAX_FILE_BYTES: Final = 4096 * MEGABYTE
#: Unpacked size divided by packed size. Text seldom passes 30; archives made to fill a disk pass 1,000.
MAX_GZIP_RATIO: Final = 200
#: Columns of a CSV header. The widest table of the shipped systems has fewer than 400.
MAX_COLUMNS: Final = 2000
#: One record of a CSV file; DuckDB keeps buffers of a multiple of it per thread.
MAX_CSV_LINE_BYTES: Final = 2 * MEGABYTE
#: One JSON object or list page; DuckDB keeps buffers of twice this per thread.
MAX_JSON_OBJECT_BYTES: Final = 64 * MEGABYTE
#: Members inside members. Real API objects stay below 20.
MAX_JSON_DEPTH: Final = 100
#: Bytes of a file that are looked at to tell its table while landing.
PEEK_BYTES: Final = MEGABYTE
#: JSON objects that are looked at to tell a file's table while landing.
PEEK_OBJECTS: Final = 50
#: Files of one admitting transaction: bounds scratch space and what a crash repeats.
BATCH_FILES: Final = 400
#: Bytes of those files.
BATCH_BYTES: Final = 2048 * MEGABYTE
#: Files of one ``land`` call.
MAX_FILES_PER_CALL: Final = 100_000
#: Rows that one run of a system's ``extract.py`` may deliver per table.
MAX_FETCH_ROWS: Final = 50_000_000
#: Broken databases that are kept beside the one built again, for whoever asks why; the oldest goes beyond that.
MOST_CORRUPT: Final = 3
