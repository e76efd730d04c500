"""All formats of tables, by the names that they have on the command line.

Tested in tests/export/test_formats.py.
"""

from __future__ import annotations

from pipeline.export import googlefeed, matrixifyfiles, shopifyuploads, woocommercecsv

FORMATS = {
    one.name: one
    for one in (
        matrixifyfiles.FORMAT,
        woocommercecsv.FORMAT,
        googlefeed.FORMAT,
        shopifyuploads.FORMAT,
    )
}
"""The tables that can be asked for."""
FOLDER = "folder"
"""What is asked for without a table."""
