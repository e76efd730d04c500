"""Hand over: the approved videos leave for the shop, as plain files and as tables."""
