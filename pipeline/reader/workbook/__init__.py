"""One sheet of an Excel or OpenDocument workbook becomes a manifest."""
